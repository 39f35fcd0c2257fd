#include "config/home_rules.hpp"

#include "config/document.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace varde::config {
namespace {

using nlohmann::ordered_json;

/// The homes that both admit; nullopt: there can be none.
std::optional<core::ScopeFilter> meet(const core::ScopeFilter& a, const core::ScopeFilter& b) {
    core::ScopeFilter both;
    for (const auto part : {&core::ScopeFilter::org_id, &core::ScopeFilter::home_id, &core::ScopeFilter::subject_id}) {
        if (!(a.*part).empty() && !(b.*part).empty() && a.*part != b.*part) return std::nullopt;
        both.*part = (a.*part).empty() ? b.*part : a.*part;
    }
    return both;
}

/// Whether every home of `inner` is one of `outer`.
bool covers(const core::ScopeFilter& outer, const core::ScopeFilter& inner) { return meet(outer, inner) == inner; }

auto order(const core::ScopeFilter& filter) { return std::tie(filter.org_id, filter.home_id, filter.subject_id); }
struct InOrder {
    bool operator()(const core::ScopeFilter& a, const core::ScopeFilter& b) const { return order(a) < order(b); }
};

/// Every set of homes for which another set of entries counts; nullopt: more than `most`.
std::optional<std::set<core::ScopeFilter, InOrder>> meetings(const std::vector<core::ScopeFilter>& entries, std::size_t most) {
    std::set<core::ScopeFilter, InOrder> all{core::ScopeFilter{}};
    for (const auto& entry : entries) {
        std::vector<core::ScopeFilter> more;
        for (const auto& known : all)
            if (auto both = meet(known, entry)) more.push_back(std::move(*both));
        all.insert(std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        if (all.size() > most) return std::nullopt;
    }
    return all;
}

ordered_json& params_read(ordered_json& params, const RuleManifest& manifest) {
    if (!manifest.nested_params) return params;
    const auto inner = params.find("params");
    return inner == params.end() || !inner->is_object() ? params : *inner;
}

/// A rule for a home, while entries are laid on top of it.
struct Overlay {
    RuleSettings settings;
    HomeRule rule;

    void zone(const HomeSettings& home, const std::string& path, const RuleManifest& manifest) {
        auto params = ordered_json::parse(settings.params);
        auto& read = params_read(params, manifest);
        const std::string prefix = &read == &params ? "" : "params.";
        for (const auto& spec : manifest.params) {
            if (spec.type != "zone") continue;
            read[spec.name] = home.timezone;
            settings.param_places[prefix + spec.name] = home.timezone_place;
            settings.path = path;
        }
        settings.params = params.dump();
    }

    void lay(const RuleOverride& over) {
        rule.enabled = over.enabled_in_scheduler.value_or(rule.enabled);
        rule.lookback = over.lookback.value_or(rule.lookback);
        rule.expire_after = over.expire_after.value_or(rule.expire_after);
        if (over.monitor_mode) rule.monitor_mode = over.monitor_mode;
        if (over.params == "{}") return;
        auto params = ordered_json::parse(settings.params);
        params.merge_patch(ordered_json::parse(over.params));
        settings.params = params.dump();
        settings.path = over.path;
        for (const auto& [name, place] : over.param_places) settings.param_places.insert_or_assign(name, place);
    }
};

}  // namespace

core::Result<HomeRules> HomeRules::make(const RulesConfig& config, const RuleManifests& manifests) {
    HomeRules made;
    Problems problems{config.file};
    for (const auto& [id, settings] : config.rules) {
        made.rules_.emplace(id, made.variants_.size());
        made.variants_.push_back({settings});
    }
    for (const auto& home : config.homes) made.who_.push_back(home.who);
    const auto filters = meetings(made.who_, max_profiles);
    if (!filters) {
        problems.add(
            {}, "homes",
            fmt::format("entries overlap in more than {} ways; name more homes by org_id and home_id together", max_profiles));
        return tl::unexpected{problems.error()};
    }
    for (const auto& filter : *filters) {
        Entries entries;
        for (std::size_t i = 0; i < made.who_.size(); ++i)
            if (covers(made.who_[i], filter)) entries.push_back(i);
        const auto [place, is_new] = made.profiles_.try_emplace(std::move(entries));
        if (!is_new) continue;
        for (const auto& [id, settings] : config.rules) {
            Overlay rule{settings, {settings.enabled_in_scheduler, settings.lookback, settings.expire_after, 0, {}}};
            const auto manifest = manifests.find(id);
            for (const std::size_t i : place->first) {
                const auto& home = config.homes[i];
                if (home.monitor_mode) rule.rule.monitor_mode = home.monitor_mode;
                if (!home.timezone.empty() && manifest != manifests.end())
                    rule.zone(home, fmt::format("homes[{}].rules.{}", i, id), manifest->second);
                if (const auto over = home.rules.find(id); over != home.rules.end()) rule.lay(over->second);
            }
            auto& variants = made.variants_[made.rules_.at(id)];
            const auto same = std::ranges::find(variants, rule.settings.params, &RuleSettings::params);
            rule.rule.variant = static_cast<std::uint32_t>(same - variants.begin());
            if (same == variants.end()) variants.push_back(std::move(rule.settings));
            place->second.push_back(rule.rule);
        }
    }
    for (const auto& [id, place] : made.rules_) {
        const auto count = made.variants_[place].size();
        if (count > max_variants)
            problems.add({}, "homes",
                         fmt::format("rule {} gets {} different params; at most {} are possible", id, count, max_variants));
    }
    if (!problems.empty()) return tl::unexpected{problems.error()};
    return made;
}

HomeRules::Entries HomeRules::entries_of(const core::Scope& scope) const {
    Entries entries;
    for (std::size_t i = 0; i < who_.size(); ++i)
        if (who_[i].admits(scope)) entries.push_back(i);
    return entries;
}

const HomeRules::Profile& HomeRules::profile_of(const core::Scope& scope) const {
    if (who_.empty()) return profiles_.begin()->second;
    const auto [known, is_new] = known_.try_emplace(scope, nullptr);
    if (is_new) known->second = &profiles_.at(entries_of(scope));
    return *known->second;
}

const HomeRule* HomeRules::find(std::string_view rule_id, const core::Scope& scope) const {
    const auto rule = rules_.find(rule_id);
    return rule == rules_.end() ? nullptr : &profile_of(scope)[rule->second];
}

const std::vector<RuleSettings>& HomeRules::variants(std::string_view rule_id) const {
    static const std::vector<RuleSettings> none;
    const auto rule = rules_.find(rule_id);
    return rule == rules_.end() ? none : variants_[rule->second];
}

bool HomeRules::enabled_somewhere(std::string_view rule_id) const {
    const auto rule = rules_.find(rule_id);
    return rule != rules_.end() &&
           std::ranges::any_of(profiles_, [&](const auto& profile) { return profile.second[rule->second].enabled; });
}

minutes HomeRules::longest_lookback(std::string_view rule_id) const {
    const auto rule = rules_.find(rule_id);
    minutes longest{0};
    if (rule == rules_.end()) return longest;
    for (const auto& [entries, profile] : profiles_) longest = std::max(longest, profile[rule->second].lookback);
    return longest;
}

}  // namespace varde::config
