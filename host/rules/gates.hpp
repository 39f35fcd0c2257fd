#pragma once
#include "config/home_rules.hpp"
#include "config/settings.hpp"
#include "core/baseline.hpp"
#include "core/monitor_mode.hpp"
#include "gating/rule_truth.hpp"
#include "ports/baseline_repository.hpp"
#include "ports/monitor_mode_repository.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace varde::rules {

/// A rule in one home.
using RuleAndScope = std::pair<std::string, core::Scope>;

/// Which rules are asked about which homes, how, and what becomes of what they find: a picture of the configuration, the baselines and
/// the monitor modes at one instant. Without any, every rule is asked and everything is kept.
class Gates {
  public:
    Gates() = default;
    /// `homes` (null: no home has settings of its own) outlives this.
    Gates(const config::RulesConfig& config, std::vector<core::BaselineStatus> baselines,
          const std::vector<ports::MonitorModeRow>& modes, const config::HomeRules* homes = nullptr);

    /// Errors: the database's. Then nobody knows what may be asked, and the run is given up.
    [[nodiscard]] static core::Result<Gates> read(const config::RulesConfig& config, ports::BaselineRepository& baselines,
                                                  ports::MonitorModeRepository& modes, const config::HomeRules* homes);

    [[nodiscard]] gating::RuleTruth truth(const std::string& rule_id, const core::Scope& scope) const;
    /// The same as truth().asks(), quickly.
    [[nodiscard]] bool asks(const std::string& rule_id, const core::Scope& scope) const;
    /// How the rule is run for the home; nullptr: as for every home.
    [[nodiscard]] const config::HomeRule* home_rule(const std::string& rule_id, const core::Scope& scope) const;
    /// rules.yaml does not switch the rule off in this home.
    [[nodiscard]] bool runs(const std::string& rule_id, const core::Scope& scope) const;
    /// What was set for the rule and home counts (POST /monitor_modes), then what rules.yaml says.
    [[nodiscard]] core::MonitorMode mode(const std::string& rule_id, const core::Scope& scope) const;

  private:
    [[nodiscard]] const core::BaselineStatus* baseline(const core::Scope& scope) const;

    std::map<std::string, config::RuleSettings, std::less<>> rules_;
    std::set<std::string> need_baseline_;
    std::unordered_map<core::Scope, core::BaselineStatus, core::ScopeHash> baselines_;
    std::map<RuleAndScope, core::MonitorMode> modes_;
    const config::HomeRules* homes_ = nullptr;
};

}  // namespace varde::rules
