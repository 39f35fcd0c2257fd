#pragma once
#include "config/home_rules.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "ports/plugin_catalogue.hpp"

#include <string>
#include <vector>

namespace varde::app {

/// rules.yaml as the service would take it.
struct RulesCheck {
    config::RulesConfig rules;
    config::HomeRules homes;            ///< of `rules`
    std::size_t described = 0;          ///< rules whose params were checked against a rule.yaml
    std::vector<std::string> warnings;  ///< what could not be checked, and why
};

/// Reads rules.yaml and checks its params against the rule.yaml beside each plugin. Errc::io_failed or config_invalid with every
/// problem as file:line:column.
[[nodiscard]] core::Result<RulesCheck> check_rules_file(const config::HostConfig& settings, const ports::Catalogue& catalogue);

}  // namespace varde::app
