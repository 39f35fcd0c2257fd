#include "api/explanation_text.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "rules/gates.hpp"
#include "rules/rule_set.hpp"
#include "rules/rule_states.hpp"
#include "time/utc_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Result;

Result<core::Instant> instant_of(const std::string& text) {
    if (text.empty()) return time::SystemClock{}.now();
    auto parsed = time::parse_utc(text);
    if (!parsed) return core::fail(core::Errc::invalid_argument, "--at " + parsed.error().context);
    return parsed;
}

core::Scope scope_of(const HomeOptions& home) {
    core::Scope scope;
    if (!home.org.empty()) scope.org_id = home.org;
    if (!home.home.empty()) scope.home_id = home.home;
    if (!home.subject.empty()) scope.subject_id = home.subject;
    return scope;
}

/// rules.yaml with this rule alone, so that only its plugin is started.
Result<config::RulesConfig> only(const std::filesystem::path& rules_file, const std::string& rule_id) {
    auto rules = config::load_rules(rules_file);
    if (!rules) return rules;
    if (!rules->rules.contains(rule_id)) {
        return core::fail(core::Errc::invalid_argument, fmt::format("{} has no rule {}", rules_file.string(), rule_id));
    }
    std::erase_if(rules->rules, [&](const auto& rule) { return rule.first != rule_id; });
    return rules;
}

/// What is stored of the rule and home.
Result<void> look_up(Storage& storage, const config::RulesConfig& rules, const config::HomeRules& homes,
                     api::Explanation& explanation) {
    auto& asked = explanation.rule.asked;
    const auto gates = rules::Gates::read(rules, storage.baselines(), storage.modes(), &homes);
    if (!gates) return tl::unexpected{gates.error()};
    explanation.truth = gates->truth(asked.rule_id, asked.scope);
    explanation.rule.mode = gates->mode(asked.rule_id, asked.scope);
    auto states = storage.deviations().rule_states();
    if (!states) return tl::unexpected{states.error()};
    asked.state = rules::RuleStates{std::move(*states)}.find(asked.rule_id, asked.scope);
    return api::look_up(storage.decisions(), storage.deviations(), explanation);
}

/// The way of a run: the same engine, on the stored events. Nothing is written.
Result<void> ask_again(evaluate::EvaluationEngine& engine, api::Explanation& explanation) {
    const auto& asked = explanation.rule.asked;
    if (auto read = engine.catch_up(asked.now); !read) return read;
    const auto homes = engine.scopes();
    if (!explanation.decision && std::ranges::find(homes, asked.scope) == homes.end()) {
        return core::fail(
            core::Errc::not_found,
            fmt::format("no event and no decision of {}/{}/{} is stored; name the home with --org, --home, --subject",
                        asked.scope.org_id, asked.scope.home_id, asked.scope.subject_id));
    }
    auto answers = engine.evaluate(std::span{&asked, 1});
    if (!answers) return tl::unexpected{answers.error()};
    explanation.rule.answer = std::move(answers->front());
    return {};
}

int exit_code(const core::Verdict& answer) {
    const auto* failed = std::get_if<core::Failed>(&answer);
    if (failed == nullptr) return kOk;
    return failed->phase == core::Phase::load || failed->reason == core::FailureReason::not_loaded ? kPluginBroken : kFailed;
}

}  // namespace

int explain(const Globals& globals, const ExplainOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    settings->log_level = "error";
    const auto at = instant_of(options.at);
    if (!at) return report(at.error());
    const auto rules = only(settings->rules_file, options.rule_id);
    if (!rules) return report(rules.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    Log log{*settings, stderr};
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    evaluate::EvaluationEngine engine{&storage->events(), settings->isolation, log.sink()};
    rules::RuleSet rule_set{engine, catalogue, log.sink()};
    rule_set.refresh(*rules, true);
    api::Explanation explanation;
    const auto scope = scope_of(options.home);
    const auto& home = *rule_set.homes().find(options.rule_id, scope);
    explanation.rule.params = rule_set.homes().variants(options.rule_id)[home.variant].params;
    explanation.rule.enabled = home.enabled;
    explanation.rule.asked = {options.rule_id, scope, {*at - home.lookback, *at}, *at, nullptr, true, home.variant};
    if (auto done = look_up(*storage, *rules, rule_set.homes(), explanation); !done) return report(done.error());
    if (auto done = ask_again(engine, explanation); !done) return report(done.error());
    if (globals.json)
        print_json(api::explanation_json(explanation));
    else
        fmt::print("{}", api::explanation_text(explanation));
    return exit_code(explanation.rule.answer);
}

}  // namespace varde::app
