#include "api/scheduling_call.hpp"

#include "api/problem.hpp"
#include "config/json_section.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {

using core::Errc;
using core::Result;

namespace {

Result<std::string> org_of(const Request& request, const Identity& identity) {
    if (!identity.scope.home_id.empty() || !identity.scope.subject_id.empty()) {
        return core::fail(Errc::forbidden, "Forbidden: schedules belong to organisations; the token is limited to a part of one");
    }
    const auto scope = scope_value(request, identity);
    if (!scope) return tl::unexpected{scope.error()};
    if (!scope->home_id.empty() || !scope->subject_id.empty()) {
        return core::fail(Errc::invalid_argument, "schedules belong to organisations: only org_id narrows them");
    }
    return scope->org_id;
}

}  // namespace

RouteAction scheduling_route(const Context& context, SchedulingAction action) {
    return [context, action](const Request& request, const Identity& identity, const Reply& reply) {
        const auto* const scheduling = context->services.scheduling;
        if (scheduling == nullptr) return reply(problem(503, "this host has no schedules"));
        auto org_id = org_of(request, identity);
        if (!org_id) return reply(report(*context, org_id.error()));
        // The request is valid until the reply.
        answer_from_database(context, reply, [context, action, scheduling, &request, org_id = std::move(*org_id), identity] {
            return action({*context, *scheduling, request, org_id, identity.name, identity.scope.org_id.empty(), identity.role});
        });
    };
}

tl::expected<nlohmann::json, Response> body_object(const Request& request, bool may_be_empty) {
    if (may_be_empty && request.body.empty()) return nlohmann::json::object();
    auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return tl::unexpected{problem(400, "unreadable JSON")};
    if (!body.is_object()) return tl::unexpected{problem(422, "the body must be a JSON object")};
    // What is nested is written and merged by functions that call themselves.
    if (config::deeper_than(body, config::kDeepest)) {
        return tl::unexpected{problem(422, fmt::format("the body is nested deeper than {} levels", config::kDeepest))};
    }
    return body;
}

Result<Response> body_fault(const core::Error& error) {
    if (error.code == Errc::invalid_argument || error.code == Errc::not_found) return problem(422, error.context);
    return tl::unexpected{error};
}

Response json(const nlohmann::ordered_json& body, int status) {
    return json(body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), status);
}

}  // namespace varde::api
