#pragma once
#include "config/params_check.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// `rules:` of rules.yaml with what `homes:` says on top.
namespace varde::config {

/// How a rule is run for one home.
struct HomeRule {
    bool enabled = false;
    minutes lookback{0};
    minutes expire_after{0};
    std::uint32_t variant = 0;  ///< of its params: a place in HomeRules::variants()
    std::optional<core::MonitorMode> monitor_mode;
    friend bool operator==(const HomeRule&, const HomeRule&) = default;
};

/// Every home's rules. The entries of `homes:` that admit a home count from top to bottom, the later one wins; params are merged as JSON
/// Merge Patch (RFC 7386) does. Different params of one rule are its variants: few, however many homes there are. One thread at a time.
class HomeRules {
  public:
    /// Different params that a rule may get; its worker makes it so many times.
    static constexpr std::size_t max_variants = 200;
    /// Homes that are told apart, with every entry that may meet another one in the same home.
    static constexpr std::size_t max_profiles = 10'000;

    HomeRules() = default;  ///< no rules
    HomeRules(HomeRules&&) = default;
    HomeRules& operator=(HomeRules&&) = default;
    HomeRules(const HomeRules&) = delete;  // known_ points into profiles_
    HomeRules& operator=(const HomeRules&) = delete;
    ~HomeRules() = default;
    /// `manifests` say which parameters are zones; of a rule without one a home's timezone changes nothing. Errc::config_invalid:
    /// more than the limits allow, as problems of the file.
    [[nodiscard]] static core::Result<HomeRules> make(const RulesConfig& config, const RuleManifests& manifests);

    /// nullptr: there is no such rule. Valid until the next call.
    [[nodiscard]] const HomeRule* find(std::string_view rule_id, const core::Scope& scope) const;
    /// The rule with every different params, at 0 its own. Empty: there is no such rule. A variant's path and places are those of the
    /// last entry that made it.
    [[nodiscard]] const std::vector<RuleSettings>& variants(std::string_view rule_id) const;
    /// In some home, or where nothing else is said.
    [[nodiscard]] bool enabled_somewhere(std::string_view rule_id) const;
    /// The longest of all homes; 0: there is no such rule.
    [[nodiscard]] minutes longest_lookback(std::string_view rule_id) const;

  private:
    /// What a set of entries makes of every rule, by place in rules_.
    using Profile = std::vector<HomeRule>;
    /// Places in who_, ascending.
    using Entries = std::vector<std::size_t>;

    [[nodiscard]] Entries entries_of(const core::Scope& scope) const;
    [[nodiscard]] const Profile& profile_of(const core::Scope& scope) const;

    std::map<std::string, std::size_t, std::less<>> rules_;
    std::vector<std::vector<RuleSettings>> variants_;  ///< by place in rules_
    std::vector<core::ScopeFilter> who_;               ///< of the entries of `homes:`
    std::map<Entries, Profile> profiles_;
    mutable std::unordered_map<core::Scope, const Profile*, core::ScopeHash>
        known_;  ///< into profiles_, whose elements do not move
};

}  // namespace varde::config
