#include "rules/gates.hpp"

namespace varde::rules {

Gates::Gates(const config::RulesConfig& config, std::vector<core::BaselineStatus> baselines,
             const std::vector<ports::MonitorModeRow>& modes, const config::HomeRules* homes)
    : rules_{config.rules}, homes_{homes} {
    for (const auto& [id, rule] : rules_) {
        if (gating::requires_baseline(rule)) need_baseline_.insert(id);
    }
    for (auto& row : baselines) {
        auto scope = row.scope;
        baselines_.insert_or_assign(std::move(scope), std::move(row));
    }
    for (const auto& row : modes) {
        if (row.room_id == ports::kWholeHome) modes_.insert_or_assign({row.monitor_key, row.scope}, row.mode);
    }
}

core::Result<Gates> Gates::read(const config::RulesConfig& config, ports::BaselineRepository& baselines,
                                ports::MonitorModeRepository& modes, const config::HomeRules* homes) {
    auto rows = baselines.list({});
    if (!rows) return tl::unexpected{rows.error()};
    const auto set = modes.in_force();
    if (!set) return tl::unexpected{set.error()};
    return Gates{config, std::move(*rows), *set, homes};
}

const core::BaselineStatus* Gates::baseline(const core::Scope& scope) const {
    const auto found = baselines_.find(scope);
    return found == baselines_.end() ? nullptr : &found->second;
}

gating::RuleTruth Gates::truth(const std::string& rule_id, const core::Scope& scope) const {
    const auto rule = rules_.find(rule_id);
    return rule == rules_.end() ? gating::RuleTruth{} : gating::truth_of(rule->second, baseline(scope));
}

bool Gates::asks(const std::string& rule_id, const core::Scope& scope) const {
    return !need_baseline_.contains(rule_id) || truth(rule_id, scope).asks();
}

const config::HomeRule* Gates::home_rule(const std::string& rule_id, const core::Scope& scope) const {
    return homes_ == nullptr ? nullptr : homes_->find(rule_id, scope);
}

bool Gates::runs(const std::string& rule_id, const core::Scope& scope) const {
    const auto* rule = home_rule(rule_id, scope);
    return rule == nullptr || rule->enabled;
}

core::MonitorMode Gates::mode(const std::string& rule_id, const core::Scope& scope) const {
    if (const auto found = modes_.empty() ? modes_.end() : modes_.find({rule_id, scope}); found != modes_.end())
        return found->second;
    const auto* rule = home_rule(rule_id, scope);
    return rule == nullptr ? core::MonitorMode::on : rule->monitor_mode.value_or(core::MonitorMode::on);
}

}  // namespace varde::rules
