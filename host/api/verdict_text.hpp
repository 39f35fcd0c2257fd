#pragma once
#include "core/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace varde::api {

/// A finding as the recorded cases of the reference have it; evidence is JSON.
[[nodiscard]] nlohmann::ordered_json finding_json(const std::string& rule_id, const core::Finding& finding);

/// {rule_id, outcome, reason?, deviations: [finding..]}, or {rule_id, error: {type, reason, phase, message}}. `varde eval` and an
/// explanation say the same.
[[nodiscard]] nlohmann::ordered_json verdict_json(const std::string& rule_id, const core::Verdict& verdict);

}  // namespace varde::api
