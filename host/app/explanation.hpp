#pragma once
#include "core/decision.hpp"
#include "core/deviation.hpp"
#include "core/monitor_mode.hpp"
#include "core/verdict.hpp"
#include "gating/rule_truth.hpp"
#include "ports/evaluator.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

/// What `varde explain` says.
namespace varde::app {

struct Explanation {
    ports::Evaluation asked;                         ///< how the rule was asked again; its `now` is the instant that is explained
    core::Verdict answer;                            ///< to that
    std::optional<core::Decision> decision;          ///< the record in force at that instant
    gating::RuleTruth truth;                         ///< as of today
    core::MonitorMode mode = core::MonitorMode::on;  ///< as of today
    bool enabled = true;                             ///< in rules.yaml, for this home, as of today
    std::string params = "{}";                       ///< those of this home, as of today: a JSON object
    std::vector<core::Deviation> deviations;         ///< of the rule and home, active at that instant
};

/// Whether the row was OPEN or ACK at the instant.
[[nodiscard]] bool was_active(const core::Deviation& row, core::Instant at);

/// {rule_id, at, scope, decision, enabled_in_scheduler, gating, monitor_mode, params, deviations, asked_again: {since, until, now, state_bytes, steps, ...}}; the rest of
/// asked_again is as in the answers of `varde eval`.
[[nodiscard]] nlohmann::ordered_json explanation_json(const Explanation& explanation);

/// The same in plain words, several lines, each ended.
[[nodiscard]] std::string explanation_text(const Explanation& explanation);

}  // namespace varde::app
