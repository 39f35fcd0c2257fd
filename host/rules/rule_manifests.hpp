#pragma once
#include "config/params_check.hpp"
#include "ports/plugin_catalogue.hpp"

#include <map>
#include <string>

namespace varde::rules {

/// What the rule.yaml files beside the plugins say.
struct FoundManifests {
    config::RuleManifests manifests;                           ///< of plugins that have a usable one
    std::map<std::string, std::string, std::less<>> unusable;  ///< rule id -> why its file cannot be used, starting with its name
};

/// Reads them, of plugins whose rule is configured. Blocking (reads files). The files describe rules to people and to the check of
/// params; no code depends on them, so one that is missing or damaged takes no rule out of use.
[[nodiscard]] FoundManifests manifests_of(const ports::Catalogue& catalogue, const config::RulesConfig& config);

}  // namespace varde::rules
