#pragma once
#include "core/decision.hpp"
#include "core/deviation.hpp"
#include "core/monitor_mode.hpp"
#include "core/verdict.hpp"
#include "gating/rule_truth.hpp"
#include "ports/decision_repository.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/run_control.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

/// What `varde explain` and GET /v1/decisions/explain say.
namespace varde::api {

struct Explanation {
    ports::ExplainedRule rule;                ///< as of today; the `now` of its question is the instant that is explained
    std::optional<core::Decision> decision;   ///< the record in force at that instant
    gating::RuleTruth truth;                  ///< as of today
    std::vector<core::Deviation> deviations;  ///< of the rule and home, active at that instant
};

/// Fills in the record and the deviations of the rule, home and instant that were asked about. Errors: the database's.
[[nodiscard]] core::Result<void> look_up(ports::DecisionRepository& decisions, ports::DeviationRepository& deviations,
                                         Explanation& explanation);

/// Whether the row was OPEN or ACK at the instant.
[[nodiscard]] bool was_active(const core::Deviation& row, core::Instant at);

/// {rule_id, at, scope, decision, enabled_in_scheduler, gating, monitor_mode, params, deviations, asked_again: {since, until, now,
/// state_bytes, steps, ...}}; the rest of asked_again is as in the answers of `varde eval`.
[[nodiscard]] nlohmann::ordered_json explanation_json(const Explanation& explanation);

/// The same in plain words, several lines, each ended.
[[nodiscard]] std::string explanation_text(const Explanation& explanation);

}  // namespace varde::api
