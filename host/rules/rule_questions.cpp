#include "rules/rule_questions.hpp"

#include "gating/truth_text.hpp"

namespace varde::rules {
namespace {

/// With the truth's keys in the evidence, as in runs.
core::Verdict explained(core::Verdict verdict, const gating::RuleTruth& truth) {
    if (auto* const completed = std::get_if<core::Completed>(&verdict)) {
        for (auto& finding : completed->findings) {
            finding.evidence = gating::evidence_with(finding.evidence, truth);
        }
    }
    return verdict;
}
core::Completed not_asked(const gating::RuleTruth& truth) {
    core::Completed nothing;
    nothing.outcome = core::Outcome::unknown;
    nothing.reason = "gated: " + truth.gating_reason;
    return nothing;
}

}  // namespace

core::Result<std::vector<ports::RuleVerdict>> RuleQuestions::judge(const config::RulesConfig& config, const core::Scope& scope,
                                                                   core::Window window) {
    const auto now = ports_.clock.now();
    if (auto read = ports_.evaluator.catch_up(now); !read) return tl::unexpected{read.error()};
    auto baseline = ports_.baselines.find(scope);
    if (!baseline) return tl::unexpected{baseline.error()};
    std::vector<core::BaselineStatus> known;
    if (*baseline) known.push_back(std::move(**baseline));
    const Gates gates{config, std::move(known), {}, &rule_set_.homes()};
    const auto kept = rule_run_.states();
    if (!kept) return tl::unexpected{kept.error()};
    std::vector<ports::Evaluation> evaluations;
    for (const auto& [id, settings] : config.rules) {
        if (!gates.asks(id, scope)) continue;
        const auto* home = gates.home_rule(id, scope);
        evaluations.push_back({id, scope, window, now, (*kept)->find(id, scope), false, home == nullptr ? 0 : home->variant});
    }
    auto verdicts = ports_.evaluator.evaluate(evaluations);
    if (!verdicts) return tl::unexpected{verdicts.error()};
    std::vector<ports::RuleVerdict> answers;
    std::size_t next = 0;
    for (const auto& [id, settings] : config.rules) {
        const auto truth = gates.truth(id, scope);
        answers.push_back(truth.asks() ? ports::RuleVerdict{id, explained(std::move((*verdicts)[next++]), truth)}
                                       : ports::RuleVerdict{id, not_asked(truth), truth.gating_reason});
    }
    return answers;
}

core::Result<ports::ExplainedRule> RuleQuestions::explain(const config::RulesConfig& config, const std::string& rule_id,
                                                          const core::Scope& scope, std::optional<core::Instant> at) {
    const auto* home = rule_set_.homes().find(rule_id, scope);
    if (home == nullptr) return core::fail(core::Errc::not_found, "rules.yaml has no rule " + rule_id);
    const auto now = ports_.clock.now();
    if (auto read = ports_.evaluator.catch_up(now); !read) return tl::unexpected{read.error()};
    const auto gates = Gates::read(config, ports_.baselines, ports_.modes, &rule_set_.homes());
    if (!gates) return tl::unexpected{gates.error()};
    const auto kept = rule_run_.states();
    if (!kept) return tl::unexpected{kept.error()};
    const auto asked_at = at.value_or(now);
    ports::ExplainedRule answer;
    answer.asked = {rule_id, scope,        {asked_at - home->lookback, asked_at}, asked_at, (*kept)->find(rule_id, scope),
                    true,    home->variant};
    answer.params = rule_set_.homes().variants(rule_id)[home->variant].params;
    answer.enabled = home->enabled;
    answer.mode = gates->mode(rule_id, scope);
    auto verdicts = ports_.evaluator.evaluate({&answer.asked, 1});
    if (!verdicts) return tl::unexpected{verdicts.error()};
    answer.answer = std::move(verdicts->front());
    return answer;
}

}  // namespace varde::rules
