#pragma once
#include "api/loop_pool.hpp"
#include "api/message.hpp"
#include "api/router.hpp"
#include "api/server.hpp"
#include "core/deviation.hpp"
#include "core/error.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What the route files share. One file of routes per resource, each with one function that adds them.
namespace varde::api {

struct RouteContext {
    HttpSettings settings;
    Services services;
    LoopPool& pool;  ///< for handlers, on the loop thread
    /// Calls something on the loop; from any thread, also when the server is gone already.
    std::function<void(std::function<void()>)> post;
};
using Context = std::shared_ptr<const RouteContext>;

void add_event_routes(Router& router, const Context& context);
void add_deviation_routes(Router& router, const Context& context);
void add_evaluate_route(Router& router, const Context& context);
void add_rule_routes(Router& router, const Context& context);
void add_health_routes(Router& router, const Context& context);
void add_incident_routes(Router& router, const Context& context);
void add_monitor_mode_routes(Router& router, const Context& context);
void add_decision_routes(Router& router, const Context& context);
void add_room_routes(Router& router, const Context& context);
void add_schedule_routes(Router& router, const Context& context);
void add_calendar_routes(Router& router, const Context& context);
void add_run_routes(Router& router, const Context& context);

/// Runs a repository call on a database thread and answers with what it made of it.
void answer_from_database(const Context& context, Reply reply, std::function<core::Result<Response>()> work);

/// The answer for an error; those that are our fault are logged.
[[nodiscard]] Response report(const RouteContext& context, const core::Error& error);

// --- query values; the errors name the key -----------------------------------------------------------------------------------

[[nodiscard]] core::Result<int> int_value(const Request& request, std::string_view key, int lowest, int highest, int otherwise);
/// "true" or "false"; false if the key is not there.
[[nodiscard]] core::Result<bool> bool_value(const Request& request, std::string_view key);
[[nodiscard]] core::Result<std::optional<core::Instant>> time_value(const Request& request, std::string_view key);
/// 1..100 characters of UTF-8, or nullopt if the key is not there.
[[nodiscard]] core::Result<std::optional<std::string>> name_value(const Request& request, std::string_view key);
/// What the token may see, narrowed by org_id, home_id and subject_id of the query. Errc::forbidden: outside of the token's scope.
[[nodiscard]] core::Result<core::ScopeFilter> scope_value(const Request& request, const Identity& identity);
/// The one scope that a question about a single home is about: scope_value(), and "default" for what neither token nor query says.
[[nodiscard]] core::Result<core::Scope> home_value(const Request& request, const Identity& identity);

/// A deviation as the API shows it.
void append_row(std::string& out, const core::Deviation& deviation);

}  // namespace varde::api
