#include "api/verdict_text.hpp"

#include "time/utc_text.hpp"

#include <nlohmann/json.hpp>

namespace varde::api {

using nlohmann::ordered_json;

ordered_json finding_json(const std::string& rule_id, const core::Finding& finding) {
    return {{"rule_id", rule_id},
            {"severity", core::name_of(finding.severity)},
            {"title", finding.title},
            {"explanation", finding.explanation},
            {"evidence", ordered_json::parse(finding.evidence, nullptr, false)},
            {"window", {{"since", time::format_utc(finding.window.since)}, {"until", time::format_utc(finding.window.until)}}},
            {"timestamp", time::format_utc(finding.timestamp)}};
}

ordered_json verdict_json(const std::string& rule_id, const core::Verdict& verdict) {
    ordered_json out{{"rule_id", rule_id}};
    if (const auto* failed = std::get_if<core::Failed>(&verdict)) {
        out["error"] = {{"type", "scheduler_rule_error"},
                        {"reason", core::name_of(failed->reason)},
                        {"phase", core::name_of(failed->phase)},
                        {"message", failed->message}};
        return out;
    }
    const auto& completed = std::get<core::Completed>(verdict);
    out["outcome"] = core::name_of(completed.outcome);
    if (!completed.reason.empty()) out["reason"] = completed.reason;
    out["deviations"] = ordered_json::array();
    for (const auto& finding : completed.findings) out["deviations"].emplace_back(finding_json(rule_id, finding));
    return out;
}

}  // namespace varde::api
