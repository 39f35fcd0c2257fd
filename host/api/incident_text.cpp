#include "api/incident_text.hpp"

#include "core/evidence_facts.hpp"
#include "time/utc_text.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace varde::api {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& value) { return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

bool is_brief(const core::EvidenceFact& fact) {
    return fact.part == "breaker" || (fact.part == "plugin" && (fact.name == "version" || fact.name == "sha256"));
}

void put_fact(ordered_json& json, const core::EvidenceFact& fact) {
    auto& place = (fact.part.empty() ? json : json[std::string{fact.part}])[std::string{fact.name}];
    if (const auto* const at = std::get_if<core::Instant>(&fact.value)) {
        place = time::format_utc(*at);
    } else if (const auto* const text = std::get_if<std::string>(&fact.value)) {
        place = *text;
    } else if (const auto* const number = std::get_if<std::int64_t>(&fact.value)) {
        place = *number;
    } else {
        place = std::get<std::vector<std::string>>(fact.value);
    }
}

}  // namespace

std::string incident_json(const core::Incident& incident, Detail detail, const core::ScopeFilter& visible) {
    const bool whole_log = visible == core::ScopeFilter{};
    const auto& failure = incident.failure;
    const auto& scope = incident.scope;
    ordered_json json{{"incident_id", incident.incident_id},
                      {"rule_id", incident.rule_id},
                      {"at", time::format_utc(incident.at)},
                      {"last_at", time::format_utc(incident.last_at)},
                      {"repeats", incident.repeats}};
    json["scope"] = nullptr;
    if (!scope.org_id.empty()) {
        json["scope"] = {{"org_id", scope.org_id}, {"home_id", scope.home_id}, {"subject_id", scope.subject_id}};
    }
    json["reason"] = core::name_of(failure.reason);
    json["phase"] = core::name_of(failure.phase);
    json["message"] = whole_log ? failure.message : std::string{core::without_worker_log(failure.message)};
    if (failure.signal != 0) json["signal"] = failure.signal;
    if (failure.reason == core::FailureReason::exited) json["exit_code"] = failure.exit_code;
    if (!failure.evidence) return dump(json);
    for (const auto& fact : core::facts_of(*failure.evidence)) {
        if (!whole_log && (fact.name == "stderr" || fact.name == "bundle")) continue;
        if (detail == Detail::whole || is_brief(fact)) put_fact(json, fact);
    }
    return dump(json);
}

std::string_view shared_reason(std::string_view reason, const core::ScopeFilter& visible) {
    return visible == core::ScopeFilter{} ? reason : reason.substr(0, reason.find(':'));
}

std::string breaker_json(const core::BreakerRecord& breaker, const core::ScopeFilter& visible) {
    if (breaker.state == core::BreakerState::healthy) return "null";
    ordered_json json{{"state", core::name_of(breaker.state)}, {"since", time::format_utc(breaker.changed_at)}};
    json["until"] = breaker.until == core::Instant{} ? ordered_json(nullptr) : ordered_json(time::format_utc(breaker.until));
    json["reason"] = shared_reason(breaker.reason, visible);
    json["incident_id"] = visible == core::ScopeFilter{} ? ordered_json(breaker.incident_id) : ordered_json(nullptr);
    return dump(json);
}

}  // namespace varde::api
