#pragma once
#include "api/routes.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// What the routes of schedules and of runs share.
namespace varde::api {

/// A request about schedules or runs, on a database thread.
struct SchedulingCall {
    const RouteContext& context;
    const Scheduling& on;
    const Request& request;
    std::string org_id;  ///< whose: the token's organisation, or that of the query; empty: everybody's
    std::string by;      ///< the token's name
    bool everywhere;     ///< the token is limited to no organisation
    ports::Role role;
};
using SchedulingAction = core::Result<Response> (*)(const SchedulingCall& call);

/// Schedules belong to organisations: a token that is limited to a home or a subject is refused (403).
[[nodiscard]] RouteAction scheduling_route(const Context& context, SchedulingAction action);

/// The request's body, an object, or the answer that refuses it. Empty counts as {} if `may_be_empty`.
[[nodiscard]] tl::expected<nlohmann::json, Response> body_object(const Request& request, bool may_be_empty = false);

/// The answer to a body with faults, 422; other errors are handed on. A dependency that is not found is a fault of the body too.
[[nodiscard]] core::Result<Response> body_fault(const core::Error& error);

[[nodiscard]] Response json(const nlohmann::ordered_json& body, int status = 200);

}  // namespace varde::api
