#pragma once
#include "config/rule_manifest.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/verdict.hpp"

#include <map>
#include <string>
#include <string_view>

/// `params` of rules.yaml against what the rules say they take.
namespace varde::config {

/// By rule id.
using RuleManifests = std::map<std::string, RuleManifest, std::less<>>;

/// Checks the params of every rule that has a manifest, also those under `homes:`: unknown parameters, types, bounds, zones that do not
/// exist, times of day that cannot be read. Errc::config_invalid with every problem, one a line:
/// "FILE:line:column: rules.R-001.params.NAME: what". What a rule demands beyond that (one parameter against another)
/// only its create() knows: told_by_rule().
[[nodiscard]] core::Result<void> check_params(const RulesConfig& config, const RuleManifests& manifests);

/// Why a rule refused its params (create_failed), as a problem of the file: "FILE:line:column: rules.R-001.params.PATH: MESSAGE". The
/// place is that of the parameter it named, or, if that does not stand in the file, of what it would stand in. The message as it is if
/// the rule does not stand in a file.
[[nodiscard]] std::string told_by_rule(const RulesConfig& config, std::string_view rule_id, const core::Failed& refusal);
/// The same of a rule as some homes have it (HomeRules::variants()).
[[nodiscard]] std::string told_by_rule(const std::string& file, const RuleSettings& rule, const core::Failed& refusal);

}  // namespace varde::config
