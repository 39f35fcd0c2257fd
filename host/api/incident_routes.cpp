#include "api/incident_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using ports::Role;
using Query = ports::IncidentRepository::Query;

/// Only incidents of the identity's scope exist for it. One that is about no home is for those who may see all.
Result<core::Incident> find_incident(const RouteContext& context, const std::string& id, const core::ScopeFilter& scope) {
    const auto found = context.services.incidents.find(id);
    if (!found) return tl::unexpected{found.error()};
    if (!*found || !scope.admits((*found)->scope)) {
        return core::fail(Errc::not_found,
                          "Incident not found: give an id of GET /v1/incidents, or its first 8 characters or more");
    }
    return **found;
}

Result<Query> incident_query(const Request& request, const Identity& identity) {
    Query query;
    if (auto scope = scope_value(request, identity))
        query.scope = *scope;
    else
        return tl::unexpected{scope.error()};
    if (auto limit = int_value(request, "limit", 1, 500, 50))
        query.limit = static_cast<std::uint32_t>(*limit);
    else
        return tl::unexpected{limit.error()};
    if (auto rule = name_value(request, "rule_id"))
        query.rule_id = rule->value_or("");
    else
        return tl::unexpected{rule.error()};
    if (auto before = name_value(request, "before"))
        query.before_id = before->value_or("");
    else
        return tl::unexpected{before.error()};
    return query;
}

Result<Response> list_incidents(const RouteContext& context, Query query, const core::ScopeFilter& visible) {
    if (!query.before_id.empty()) {
        const auto last = find_incident(context, query.before_id, visible);
        if (!last && last.error().code != Errc::not_found) return tl::unexpected{last.error()};
        if (!last) return core::fail(Errc::invalid_argument, "before must be the incident_id of the last incident seen");
        query.before = last->at;
        query.before_id = last->incident_id;
    }
    const auto rows = context.services.incidents.list(query);
    if (!rows) return tl::unexpected{rows.error()};
    std::string body = "[";
    for (const auto& row : *rows) {
        if (body.size() > 1) body += ',';
        body += incident_json(row, Detail::brief, visible);
    }
    return json(body + ']');
}

/// Rules that rules.yaml, the plugins or the database know.
Result<bool> is_known(const RouteContext& context, const std::string& rule_id) {
    if (context.services.rules()->rules.contains(rule_id)) return true;
    const auto same = [&](const auto& one) { return one.rule_id == rule_id; };
    if (std::ranges::any_of(context.services.runs.rule_states(), same)) return true;
    const auto rows = context.services.rule_rows.list();
    if (!rows) return tl::unexpected{rows.error()};
    return std::ranges::any_of(*rows, same);
}

Result<Response> release_rule(const RouteContext& context, const std::string& rule_id, const std::string& by) {
    const auto known = is_known(context, rule_id);
    if (!known) return tl::unexpected{known.error()};
    if (!*known) return core::fail(Errc::not_found, "Rule not found");
    const auto released = context.services.incidents.release(rule_id);
    if (!released) return tl::unexpected{released.error()};
    context.services.log.log(ports::LogLevel::info, "api", "rule_released", "a rule's failures were forgotten on request",
                             {{"rule_id", rule_id}, {"was_failing", *released}, {"by", by}});
    return json(nlohmann::ordered_json{{"rule_id", rule_id}, {"released", *released}}.dump());
}

}  // namespace

void add_incident_routes(Router& router, const Context& context) {
    router.add({Method::get, "/incidents", Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    auto query = incident_query(request, identity);
                    if (!query) return reply(report(*context, query.error()));
                    answer_from_database(context, reply, [context, query = *query, visible = identity.scope] {
                        return list_incidents(*context, query, visible);
                    });
                }});
    router.add({Method::get, "/incidents/{name}", Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    answer_from_database(context, reply,
                                         [context, id = std::string{request.name}, scope = identity.scope]() -> Result<Response> {
                                             const auto found = find_incident(*context, id, scope);
                                             if (!found) return tl::unexpected{found.error()};
                                             return json(incident_json(*found, Detail::whole, scope));
                                         });
                }});
    router.add({Method::post, "/rules/{name}/release", Role::admin,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    if (identity.scope != core::ScopeFilter{}) {
                        return reply(problem(403, "Forbidden: rules concern every scope, and this token is limited to one"));
                    }
                    answer_from_database(context, reply, [context, id = std::string{request.name}, by = identity.name] {
                        return release_rule(*context, id, by);
                    });
                }});
}

}  // namespace varde::api
