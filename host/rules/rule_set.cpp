#include "rules/rule_set.hpp"

#include "rules/rule_manifests.hpp"
#include "rules/run_log.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace varde::rules {
namespace {

using ports::Json;
using ports::LogLevel;

constexpr std::string_view kComponent = "plugins";

bool same_files(const ports::Catalogue& a, const ports::Catalogue& b) {
    return std::ranges::equal(a.plugins, b.plugins, [](const ports::Plugin& x, const ports::Plugin& y) {
        return x.rule_id == y.rule_id && x.path == y.path && x.sha256 == y.sha256;
    });
}

std::string problem_text(core::FailureReason reason, std::string_view message) {
    return fmt::format("{}: {}", core::name_of(reason), message);
}

core::Failed load_failure(core::FailureReason reason, std::string message) {
    core::Failed failed;
    failed.reason = reason;
    failed.phase = core::Phase::load;
    failed.message = std::move(message);
    return failed;
}

}  // namespace

std::string RuleSet::Known::problem() const { return failure ? problem_text(failure->reason, failure->message) : ""; }

void RuleSet::refresh(const config::RulesConfig& config, bool config_changed) {
    if (!std::exchange(looked_, false)) look();
    if (std::exchange(plugins_changed_, false) || config_changed)
        configure(config);
    else if (evaluator_.settle())
        take_over_what_is_in_use();
}

void RuleSet::look() {
    plugins_changed_ |= scan();
    log_rejected_files();
}

core::Result<void> RuleSet::check(const config::RulesConfig& offered) {
    if (!std::exchange(looked_, true)) look();
    const auto found = manifests_of(catalogue_, offered);
    log_unusable_manifests(found.unusable);
    if (auto fits = config::check_params(offered, found.manifests); !fits) return fits;
    const auto homes = config::HomeRules::make(offered, found.manifests);
    if (!homes) return tl::unexpected{homes.error()};
    std::string problems;
    for (const auto& [id, settings] : offered.rules) {
        if (!config_.rules.contains(id)) continue;
        for (const auto& variant : homes->variants(id)) {
            if (in_force(id, variant.params)) continue;
            // What else a worker can suffer is no mistake in the file.
            const auto& failure = tried(id, variant.params);
            if (failure && failure->phase == core::Phase::create)
                problems += (problems.empty() ? "" : "\n") + config::told_by_rule(offered.file, variant, *failure);
        }
    }
    if (problems.empty()) return {};
    return core::fail(core::Errc::config_invalid, std::move(problems));
}

bool RuleSet::in_force(const std::string& rule_id, const std::string& params) const {
    return std::ranges::find(homes_.variants(rule_id), params, &config::RuleSettings::params) != homes_.variants(rule_id).end();
}

const std::optional<core::Failed>& RuleSet::tried(const std::string& rule_id, const std::string& params) {
    const auto known = known_.find(rule_id);
    const Trial trial{rule_id, known == known_.end() ? std::string{} : known->second.sha256, params};
    const auto [last, is_new] = tried_.try_emplace(trial);
    if (is_new) last->second = evaluator_.try_params(rule_id, params);
    return last->second;
}

void RuleSet::take_over_homes(const config::RulesConfig& config) {
    tried_.clear();
    const auto found = manifests_of(catalogue_, config);
    const auto fits = config::check_params(config, found.manifests);
    const auto unfit = fits ? std::string{} : fits.error().context;
    if (!unfit.empty() && unfit != unfit_params_)
        log_.log(LogLevel::warning, kComponent, "rule_params_unfit",
                 "params do not fit the rule.yaml beside a plugin any more; the rule decides whether it runs with them",
                 {{"message", unfit}});
    unfit_params_ = unfit;
    if (auto homes = config::HomeRules::make(config, found.manifests)) {
        homes_ = std::move(*homes);
        return;
    }
    // check() has refused such a file; this one came without it.
    auto without = config;
    without.homes.clear();
    homes_ = std::move(config::HomeRules::make(without, found.manifests).value());
}

void RuleSet::log_refused_homes() {
    std::set<std::string> now;
    for (const auto& [id, known] : known_) {
        const auto& variants = homes_.variants(id);
        for (std::size_t i = 1; i < variants.size() && !known.failure; ++i) {
            const auto& failure = tried(id, variants[i].params);
            if (!failure || failure->phase != core::Phase::create) continue;
            auto message = config::told_by_rule(config_.file, variants[i], *failure);
            if (!refused_homes_.contains(message))
                log_.log(LogLevel::error, kComponent, "home_params_refused",
                         "a rule cannot be made with the params that rules.yaml has for some homes; it fails there alone",
                         {{"rule_id", id}, {"message", message}});
            now.insert(std::move(message));
        }
    }
    refused_homes_ = std::move(now);
}

core::Failed RuleSet::placed(const std::string& rule_id, core::Failed failure) const {
    if (failure.reason == core::FailureReason::create_failed) failure.message = config::told_by_rule(config_, rule_id, failure);
    return failure;
}

void RuleSet::log_unusable_manifests(const std::map<std::string, std::string, std::less<>>& unusable) {
    for (const auto& [rule_id, why] : unusable) {
        if (!unusable_.insert(why).second) continue;
        log_.log(LogLevel::warning, kComponent, "rule_manifest_unusable",
                 "the params of a rule cannot be checked against what it says it takes",
                 {{"rule_id", rule_id}, {"message", why}});
    }
}

bool RuleSet::scan() {
    auto found = plugins_.scan();
    if (!found) {
        // Said once, not at every look.
        if (scan_problem_ != found.error().context) {
            scan_problem_ = found.error().context;
            log_.log(LogLevel::error, kComponent, "plugins_scan_failed",
                     "the plugin folder cannot be read; the known plugins stay", {{"error", Json{error_json(found.error())}}});
        }
        return false;
    }
    scan_problem_.clear();
    const bool changed = !scanned_ || !same_files(catalogue_, *found);
    scanned_ = true;
    catalogue_ = std::move(*found);
    return changed;
}

void RuleSet::log_rejected_files() {
    std::set<std::string> now;
    for (const auto& file : catalogue_.rejected) {
        auto complaint = file.path + '\n' + file.message;
        if (!rejected_.contains(complaint)) {
            reject(file.rule_id, file.path, "", load_failure(file.reason, file.message));
        }
        now.insert(std::move(complaint));
    }
    rejected_ = std::move(now);
}

void RuleSet::reject(const std::string& rule_id, const std::string& path, const std::string& sha256,
                     const core::Failed& why) const {
    log_.log(LogLevel::error, kComponent, "rule_rejected", "a plugin cannot be used",
             {{"rule_id", rule_id}, {"path", path}, {"sha256", sha256}, {"error", Json{error_json(why)}}});
}

void RuleSet::configure(const config::RulesConfig& config) {
    config_ = config;
    take_over_homes(config);
    KnownRules now;
    std::vector<ports::RuleSpec> specs;
    for (const auto& plugin : catalogue_.plugins) {
        const auto found = config.rules.find(plugin.rule_id);
        if (found == config.rules.end()) continue;
        const auto& settings = found->second;
        Known known{plugin.version, plugin.sha256, plugin.path};
        if (!settings.sha256.empty() && settings.sha256 != plugin.sha256) {
            known.failure =
                load_failure(core::FailureReason::untrusted_file,
                             fmt::format("rules.yaml allows sha256 {} only; the file has {}", settings.sha256, plugin.sha256));
        } else {
            const auto& variants = homes_.variants(plugin.rule_id);
            specs.push_back({plugin,
                             settings.params,
                             settings.timeout,
                             settings.memory_mb << 20,
                             homes_.longest_lookback(plugin.rule_id),
                             settings.group,
                             {}});
            for (std::size_t i = 1; i < variants.size(); ++i) specs.back().variants.push_back(variants[i].params);
        }
        now.emplace(plugin.rule_id, std::move(known));
    }
    std::vector<std::string> ids;
    ids.reserve(specs.size());
    for (const auto& spec : specs) ids.push_back(spec.plugin.rule_id);
    const auto failures = evaluator_.configure(std::move(specs));
    for (std::size_t i = 0; i < ids.size() && i < failures.size(); ++i)
        if (failures[i]) now.at(ids[i]).failure = placed(ids[i], *failures[i]);
    wanted_ = std::move(now);
    take_over_what_is_in_use();
}

void RuleSet::take_over_what_is_in_use() {
    KnownRules now = wanted_;
    for (auto& use : evaluator_.in_use()) {
        if (use.failure) use.failure = placed(use.rule_id, std::move(*use.failure));
        if (use.candidate_failure) use.candidate_failure = placed(use.rule_id, std::move(*use.candidate_failure));
        const auto rule = now.find(use.rule_id);
        if (rule == now.end()) continue;
        // A rule whose first plugin is still being tried out is not news yet.
        if (use.sha256.empty() && !use.candidate_failure) {
            now.erase(rule);
            continue;
        }
        if (use.candidate_failure) {
            if (refused_.insert(use.rule_id + use.candidate_sha256).second)
                reject(use.rule_id, rule->second.path, use.candidate_sha256, *use.candidate_failure);
            if (use.sha256.empty()) {
                rule->second.failure = use.candidate_failure;
                rule->second.said = true;
                continue;
            }
        }
        rule->second = {use.version, use.sha256, use.path, use.failure};
    }
    const auto before = std::exchange(known_, std::move(now));
    log_changes(before);
    log_refused_homes();
}

void RuleSet::log_changes(const KnownRules& before) const {
    for (const auto& [id, now] : known_) {
        const auto old = before.find(id);
        const bool fresh = old == before.end();
        if (!fresh && old->second.sha256 == now.sha256 && old->second.problem() == now.problem()) continue;
        if (now.failure) {
            if (!now.said) reject(id, now.path, now.sha256, *now.failure);
        } else if (fresh || old->second.sha256 == now.sha256) {
            log_.log(LogLevel::info, kComponent, "rule_loaded", "a rule is in use",
                     {{"rule_id", id}, {"version", now.version}, {"sha256", now.sha256}, {"path", now.path}});
        } else {
            log_.log(LogLevel::info, kComponent, "rule_replaced", "a new version of a rule is in use",
                     {{"rule_id", id},
                      {"version", now.version},
                      {"sha256", now.sha256},
                      {"old_version", old->second.version},
                      {"old_sha256", old->second.sha256},
                      {"path", now.path}});
        }
    }
    for (const auto& [id, old] : before) {
        if (known_.contains(id)) continue;
        log_.log(LogLevel::warning, kComponent, "rule_removed", "a rule is no longer in use",
                 {{"rule_id", id}, {"version", old.version}, {"sha256", old.sha256}, {"path", old.path}});
    }
}

std::vector<ports::RuleState> RuleSet::states(const config::RulesConfig& config,
                                              const std::set<std::string>& switched_off) const {
    std::map<std::string, ports::RuleState> states;
    for (const auto& plugin : catalogue_.plugins) {
        states[plugin.rule_id] = {plugin.rule_id, false, false, plugin.version, plugin.sha256, "not in rules.yaml", {}};
    }
    for (const auto& [id, settings] : config.rules) {
        auto& state = states[id];
        state.rule_id = id;
        state.enabled = settings.enabled_in_scheduler && !switched_off.contains(id);
        const auto known = known_.find(id);
        state.loaded = known != known_.end() && !known->second.failure;
        state.problem = known == known_.end() ? "not_loaded: there is no plugin file for this rule" : known->second.problem();
    }
    for (const auto& file : catalogue_.rejected) {
        const auto state = states.find(file.rule_id);
        if (state != states.end() && !state->second.loaded) {
            state->second.problem = problem_text(file.reason, file.message);
        }
    }
    for (auto& breaker : evaluator_.breakers()) {
        if (const auto state = states.find(breaker.rule_id); state != states.end()) state->second.breaker = std::move(breaker);
    }
    std::vector<ports::RuleState> list;
    list.reserve(states.size());
    for (auto& [id, state] : states) list.push_back(std::move(state));
    return list;
}

}  // namespace varde::rules
