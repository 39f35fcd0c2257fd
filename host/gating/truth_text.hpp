#pragma once
#include "core/monitor_mode.hpp"
#include "gating/rule_truth.hpp"

#include <string>

namespace varde::gating {

/// A JSON object with every key, null where there is nothing to say. `min_days_required` is always null, as in the reference.
[[nodiscard]] std::string truth_json(const RuleTruth& truth);

/// `evidence`, a JSON object, with the keys of `truth` that are not null after its own; keys that both have get the truth's value. Text
/// that is no JSON object counts as an empty one.
[[nodiscard]] std::string evidence_with(const std::string& evidence, const RuleTruth& truth);

/// The same for a deviation that is kept: `event_ids` comes first, empty if the rule gave none, and in TEST mode `_monitor_mode` last.
[[nodiscard]] std::string kept_evidence(const std::string& evidence, const RuleTruth& truth, core::MonitorMode mode);

}  // namespace varde::gating
