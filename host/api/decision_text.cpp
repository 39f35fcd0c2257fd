#include "api/decision_text.hpp"

#include "time/utc_text.hpp"

#include <nlohmann/json.hpp>

namespace varde::api {

std::string decision_json(const core::Decision& decision) {
    const nlohmann::ordered_json json{{"decision_id", decision.decision_id},
                                      {"rule_id", decision.rule_id},
                                      {"org_id", decision.scope.org_id},
                                      {"home_id", decision.scope.home_id},
                                      {"subject_id", decision.scope.subject_id},
                                      {"outcome", core::name_of(decision.outcome)},
                                      {"reason", decision.reason},
                                      {"since", time::format_utc(decision.since)},
                                      {"first_at", time::format_utc(decision.first_at)},
                                      {"last_at", time::format_utc(decision.last_at)},
                                      {"asked_at", time::format_utc(decision.asked_at)},
                                      {"runs", decision.runs},
                                      {"run_id", decision.run_id},
                                      {"changed", decision.is_change()}};
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace varde::api
