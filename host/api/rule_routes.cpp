#include "api/incident_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "gating/truth_text.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using nlohmann::ordered_json;
using ports::Role;

std::string dump(const ordered_json& value) { return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

template <class T>
ordered_json or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json parse_object(const std::string& text) {
    auto value = ordered_json::parse(text, nullptr, false);
    return value.is_object() ? value : ordered_json::object();
}

ordered_json truth_config(const config::RuleSettings& settings) {
    return {{"evaluation_mode", settings.evaluation_mode},
            {"requires_baseline", or_null(settings.requires_baseline)},
            {"requires_profile", or_null(settings.requires_profile)},
            {"profile_mode", settings.profile_mode},
            {"uses_default_profile_when_missing", settings.uses_default_profile_when_missing},
            {"min_days_with_data", or_null(settings.min_days_with_data)}};
}

ordered_json truth_of(const config::RuleSettings& settings, const core::BaselineStatus* baseline) {
    return ordered_json::parse(gating::truth_json(gating::truth_of(settings, baseline)));
}

/// One entry of GET /rules. At least one of settings and row is given.
ordered_json entry(const std::string& rule_id, const config::RuleSettings* settings, const ports::RuleRow* row,
                   const ports::RuleState* state, const core::BaselineStatus* baseline, const core::ScopeFilter& visible) {
    ordered_json rule{{"name", rule_id}, {"rule_id", rule_id}, {"display_name", rule_id}, {"human_explanation", nullptr}};
    rule["enabled_in_scheduler"] = settings != nullptr && settings->enabled_in_scheduler;
    rule["lookback_minutes"] = settings ? ordered_json(settings->lookback.count()) : ordered_json(nullptr);
    rule["expire_after_minutes"] = settings ? ordered_json(settings->expire_after.count()) : ordered_json(nullptr);
    // What runs use; the reference shows {} after its first run.
    rule["params"] = parse_object(settings ? settings->params : row->params);
    if (row != nullptr) rule["operator_params"] = parse_object(row->params);
    rule["severity"] = row ? row->severity : 2;
    rule["is_enabled"] = row == nullptr || row->is_enabled;
    rule["id"] = row ? ordered_json(row->id) : ordered_json(nullptr);
    rule["created_at"] = row ? ordered_json(time::format_utc(row->created_at)) : ordered_json(nullptr);
    rule["rule_type"] = nullptr;
    rule["evaluation_truth_config"] = settings ? truth_config(*settings) : ordered_json(nullptr);
    rule["runtime_status"] = nullptr;
    if (state != nullptr) {  // the reference has the truth here; the plugin's state is ours
        const auto problem = shared_reason(state->problem, visible);
        rule["runtime_status"] = {{"enabled", state->enabled},
                                  {"loaded", state->loaded},
                                  {"version", state->version},
                                  {"sha256", state->sha256},
                                  {"problem", problem.empty() ? ordered_json(nullptr) : ordered_json(problem)},
                                  {"breaker", ordered_json::parse(breaker_json(state->breaker, visible))}};
    }
    if (settings != nullptr && settings->enabled_in_scheduler) rule["runtime_status"].update(truth_of(*settings, baseline));
    if (settings == nullptr) rule["note"] = "db_only";
    return rule;
}

template <class Range>
auto find_rule(const Range& range, const std::string& rule_id) -> decltype(&*range.begin()) {
    for (const auto& one : range) {
        if (one.rule_id == rule_id) return &one;
    }
    return nullptr;
}

Result<Response> list_rules(const RouteContext& context, const core::Scope& scope, const core::ScopeFilter& visible) {
    const auto rows = context.services.rule_rows.list();
    if (!rows) return tl::unexpected{rows.error()};
    const auto baseline = context.services.baselines.find(scope);
    if (!baseline) return tl::unexpected{baseline.error()};
    const auto* const known = *baseline ? &**baseline : nullptr;
    const auto rules = context.services.rules();
    const auto states = context.services.runs.rule_states();
    auto list = ordered_json::array();
    for (const auto& [rule_id, settings] : rules->rules) {
        list.push_back(entry(rule_id, &settings, find_rule(*rows, rule_id), find_rule(states, rule_id), known, visible));
    }
    for (const auto& row : *rows) {
        if (!rules->rules.contains(row.rule_id))
            list.push_back(entry(row.rule_id, nullptr, &row, find_rule(states, row.rule_id), known, visible));
    }
    return json(dump(list));
}

/// On which basis the enabled rules judge one home.
Result<Response> list_truths(const RouteContext& context, const core::Scope& scope, const core::ScopeFilter& /*visible*/) {
    const auto rows = context.services.rule_rows.list();
    if (!rows) return tl::unexpected{rows.error()};
    const auto baseline = context.services.baselines.find(scope);
    if (!baseline) return tl::unexpected{baseline.error()};
    auto list = ordered_json::array();
    for (const auto& [rule_id, settings] : context.services.rules()->rules) {
        const auto* const row = find_rule(*rows, rule_id);
        if (!settings.enabled_in_scheduler || (row != nullptr && !row->is_enabled)) continue;
        ordered_json truth{{"rule_id", rule_id}};
        truth.update(truth_of(settings, *baseline ? &**baseline : nullptr));
        list.push_back(std::move(truth));
    }
    return json(dump({{"scope", {{"org_id", scope.org_id}, {"home_id", scope.home_id}, {"subject_id", scope.subject_id}}},
                      {"rules", std::move(list)}}));
}

/// About one home, for somebody who may see so much.
using AboutHome = Result<Response> (*)(const RouteContext&, const core::Scope&, const core::ScopeFilter& visible);

/// A GET about the rules as they are in one home.
Route about_home(const Context& context, std::string_view pattern, AboutHome list) {
    return {Method::get, pattern, Role::viewer,
            [context, list](const Request& request, const Identity& identity, const Reply& reply) {
                const auto scope = home_value(request, identity);
                if (!scope) return reply(report(*context, scope.error()));
                answer_from_database(context, reply, [context, list, scope = *scope, visible = identity.scope] {
                    return list(*context, scope, visible);
                });
            }};
}

/// The answer that refuses a change, or nullopt.
std::optional<Response> refuse_change(const ordered_json& change) {
    if (change.is_discarded()) return problem(400, "unreadable JSON");
    if (!change.is_object()) return problem(422, "the body must be a JSON object");
    if (const auto severity = change.find("severity"); severity != change.end()) {
        if (!severity->is_number_integer() || *severity < 1 || *severity > 4) {
            return problem(422, "severity must be a number from 1 to 4", "severity");
        }
    }
    if (const auto enabled = change.find("is_enabled"); enabled != change.end() && !enabled->is_boolean()) {
        return problem(422, "is_enabled must be true or false", "is_enabled");
    }
    if (const auto params = change.find("params"); params != change.end() && !params->is_object()) {
        return problem(422, "params must be a JSON object", "params");
    }
    return std::nullopt;
}

Result<Response> apply_change(const RouteContext& context, std::int64_t id, const ordered_json& change, const std::string& by) {
    auto found = context.services.rule_rows.find(id);
    if (!found) return tl::unexpected{found.error()};
    if (!*found) return core::fail(Errc::not_found, "Rule not found");
    auto row = **found;
    if (const auto name = change.find("name"); name != change.end() && *name != row.rule_id) {
        return problem(422, "name is the rule's id and cannot be changed", "name");
    }
    if (const auto severity = change.find("severity"); severity != change.end()) row.severity = severity->get<int>();
    if (const auto enabled = change.find("is_enabled"); enabled != change.end()) row.is_enabled = enabled->get<bool>();
    auto params = parse_object(row.params);
    if (const auto more = change.find("params"); more != change.end()) params.update(*more);
    row.params = dump(params);
    if (auto stored = context.services.rule_rows.update(row); !stored) return tl::unexpected{stored.error()};
    context.services.log.log(ports::LogLevel::info, "api", "rule_changed", "a rule was changed",
                             {{"rule_id", row.rule_id}, {"is_enabled", row.is_enabled}, {"by", by}});
    return json(dump({{"id", row.id},
                      {"name", row.rule_id},
                      {"is_enabled", row.is_enabled},
                      {"rule_type", nullptr},
                      {"params", params},
                      {"severity", row.severity},
                      {"created_at", time::format_utc(row.created_at)}}));
}

void patch_rule(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    // Rules are the host's, not a tenant's.
    if (identity.scope != core::ScopeFilter{}) {
        return reply(problem(403, "Forbidden: rules concern every scope, and this token is limited to one"));
    }
    const auto change = ordered_json::parse(request.body, nullptr, false);
    if (auto refused = refuse_change(change)) return reply(std::move(*refused));
    answer_from_database(context, reply, [context, id = request.id, change, by = identity.name] {
        return apply_change(*context, id, change, by);
    });
}

}  // namespace

void add_rule_routes(Router& router, const Context& context) {
    router.add(about_home(context, "/rules", list_rules));
    router.add(about_home(context, "/rules/evaluation-truth", list_truths));
    router.add({Method::patch, "/rules/{id}", Role::admin,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    patch_rule(context, request, identity, reply);
                }});
}

}  // namespace varde::api
