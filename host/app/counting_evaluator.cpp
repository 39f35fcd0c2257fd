#include "app/counting_evaluator.hpp"

namespace varde::app {
namespace {

void count(OutcomeCounts& counts, const core::Verdict& verdict) {
    const auto* completed = std::get_if<core::Completed>(&verdict);
    if (completed == nullptr) {
        ++counts.failed;
        return;
    }
    counts.carried += completed->carried ? 1 : 0;
    switch (completed->outcome) {
        case core::Outcome::met: ++counts.met; break;
        case core::Outcome::not_met: ++counts.not_met; break;
        case core::Outcome::no_data: ++counts.no_data; break;
        case core::Outcome::unknown: ++counts.unknown; break;
    }
}

}  // namespace

std::vector<std::optional<core::Failed>> CountingEvaluator::configure(std::vector<ports::RuleSpec> rules) {
    return next_.configure(std::move(rules));
}

core::Result<void> CountingEvaluator::catch_up(core::Instant now) { return next_.catch_up(now); }

std::vector<core::Scope> CountingEvaluator::scopes() const { return next_.scopes(); }

core::Result<std::vector<core::Verdict>> CountingEvaluator::evaluate(std::span<const ports::Evaluation> evaluations) {
    auto verdicts = next_.evaluate(evaluations);
    if (verdicts) {
        for (std::size_t i = 0; i < verdicts->size(); ++i) count(counts_[evaluations[i].rule_id], (*verdicts)[i]);
    }
    return verdicts;
}

core::Verdict CountingEvaluator::evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                                 std::span<const core::Event> events) {
    auto verdict = next_.evaluate_events(evaluation, params, events);
    count(counts_[evaluation.rule_id], verdict);
    return verdict;
}

}  // namespace varde::app
