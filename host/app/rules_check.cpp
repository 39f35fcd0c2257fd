#include "app/rules_check.hpp"

#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "rules/rule_manifests.hpp"

#include <fmt/format.h>
#include <iostream>

namespace varde::app {
namespace {

struct Made {
    std::size_t rules = 0;
    std::vector<std::string> refusals;  ///< of params, as file:line:column
    std::vector<std::string> failures;  ///< of plugins
};

/// Makes every rule of the file in a sandboxed worker, also with the params of homes that have some of their own: only the rule itself
/// knows which of its parameters go together.
Made make_rules(const RulesCheck& check, ports::Catalogue catalogue, const config::HostConfig& settings, ports::LogSink& log) {
    const auto& rules = check.rules;
    std::vector<ports::RuleSpec> specs;
    for (auto& plugin : catalogue.plugins) {
        const auto rule = rules.rules.find(plugin.rule_id);
        if (rule == rules.rules.end()) continue;
        ports::RuleSpec spec;
        spec.plugin = std::move(plugin);
        spec.params = rule->second.params;
        spec.memory_bytes = rule->second.memory_mb << 20;
        specs.push_back(std::move(spec));
    }
    std::vector<std::string> ids;
    for (const auto& spec : specs) ids.push_back(spec.plugin.rule_id);
    evaluate::EvaluationEngine engine{nullptr, settings.isolation, log};
    const auto states = engine.configure(std::move(specs));
    Made made;
    const auto try_homes = [&](const std::string& id) {
        const auto& variants = check.homes.variants(id);
        for (std::size_t k = 1; k < variants.size(); ++k)
            if (const auto failed = engine.try_params(id, variants[k].params))
                made.refusals.push_back(config::told_by_rule(rules.file, variants[k], *failed));
    };
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (!states[i]) {
            ++made.rules;
            try_homes(ids[i]);
        } else if (states[i]->reason == core::FailureReason::create_failed)
            made.refusals.push_back(config::told_by_rule(rules, ids[i], *states[i]));
        else
            made.failures.push_back(fmt::format("{}: {}: {}", ids[i], core::name_of(states[i]->reason), states[i]->message));
    }
    return made;
}

}  // namespace

core::Result<RulesCheck> check_rules_file(const config::HostConfig& settings, const ports::Catalogue& catalogue) {
    auto rules = config::load_rules(settings.rules_file);
    if (!rules) return tl::unexpected{rules.error()};
    RulesCheck check;
    const auto found = rules::manifests_of(catalogue, *rules);
    if (auto fits = config::check_params(*rules, found.manifests); !fits) return tl::unexpected{fits.error()};
    for (const auto& [id, why] : found.unusable) check.warnings.push_back(fmt::format("{}: params not checked: {}", id, why));
    auto homes = config::HomeRules::make(*rules, found.manifests);
    if (!homes) return tl::unexpected{homes.error()};
    check.homes = std::move(*homes);
    check.described = found.manifests.size();
    check.rules = std::move(*rules);
    return check;
}

int check(const Globals& globals) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    settings->log_level = "error";
    Log log{*settings, stderr};
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    auto found = catalogue.scan();
    if (!found) return report(found.error());
    const auto checked = check_rules_file(*settings, *found);
    if (!checked) return report(checked.error());
    for (const auto& rejected : found->rejected)
        std::cerr << fmt::format("{}: {}: {}\n", rejected.path, core::name_of(rejected.reason), rejected.message);
    for (const auto& warning : checked->warnings) std::cerr << warning << '\n';
    const bool all_usable = found->rejected.empty();
    const auto made = make_rules(*checked, std::move(*found), *settings, log.sink());
    for (const auto& refusal : made.refusals) std::cerr << "varde: " << refusal << '\n';
    for (const auto& failure : made.failures) std::cerr << failure << '\n';
    const auto rules = checked->rules.rules.size();
    if (globals.json) {
        print_json({{"rules", rules},
                    {"homes", checked->rules.homes.size()},
                    {"params_checked", checked->described},
                    {"made", made.rules},
                    {"problems", made.refusals},
                    {"plugin_failures", made.failures}});
    } else {
        fmt::print("{}: {} rules; the params of {} fit their rule.yaml; {} could be made\n", settings->rules_file.string(), rules,
                   checked->described, made.rules);
        if (const auto homes = checked->rules.homes.size(); homes > 0)
            fmt::print("{} entries of homes: with settings of their own\n", homes);
    }
    if (!made.refusals.empty()) return kUsage;
    if (!made.failures.empty() || !all_usable) return kPluginBroken;
    return made.rules == rules && checked->warnings.empty() ? kOk : kFindings;
}

}  // namespace varde::app
