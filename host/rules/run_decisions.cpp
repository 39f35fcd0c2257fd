#include "rules/run_decisions.hpp"

#include <fmt/format.h>

namespace varde::rules {
namespace {

using core::DecisionOutcome;

DecisionOutcome outcome_of(core::Outcome outcome) {
    switch (outcome) {
        case core::Outcome::met: return DecisionOutcome::met;
        case core::Outcome::not_met: return DecisionOutcome::not_met;
        case core::Outcome::no_data: return DecisionOutcome::no_data;
        case core::Outcome::unknown: break;
    }
    return DecisionOutcome::unknown;
}

std::string gating_text(const gating::RuleTruth& truth) {
    if (!truth.days_with_data) return truth.gating_reason;
    return fmt::format("{}: {} days with data", truth.gating_reason, *truth.days_with_data);
}

RunDecision decision_of(const Judgements& judgements, std::size_t i) {
    RunDecision decision{judgements.rule(i).id, judgements.scope(i), outcome_of(judgements.outcome(i)), judgements.reason(i),
                         judgements.carried(i)};
    if (judgements.off(i)) {
        decision.outcome = DecisionOutcome::skipped;
        decision.reason = "switched off for this home in rules.yaml";
    } else if (judgements.gated(i)) {
        decision.outcome = DecisionOutcome::gated;
        decision.reason = gating_text(judgements.gates().truth(decision.rule_id, decision.scope));
    } else if (const auto* failed = judgements.failure(i)) {
        const bool asked = failed->reason != core::FailureReason::quarantined;
        decision.outcome = asked ? DecisionOutcome::error : DecisionOutcome::skipped;
        decision.reason = core::decision_reason(fmt::format("{}: {}", core::name_of(failed->reason), failed->message));
    } else if (decision.outcome == DecisionOutcome::met &&
               judgements.gates().mode(decision.rule_id, decision.scope) == core::MonitorMode::off) {
        decision.reason = core::decision_reason("dropped, its mode is OFF: " + decision.reason);
    }
    return decision;
}

}  // namespace

std::vector<RunDecision> decisions_of(const Judgements& judgements, const std::map<std::size_t, std::string>& unstored) {
    std::vector<RunDecision> decisions;
    decisions.reserve(judgements.size());
    for (std::size_t i = 0; i < judgements.size(); ++i) decisions.push_back(decision_of(judgements, i));
    for (const auto& [i, why] : unstored) {
        decisions[i].outcome = DecisionOutcome::error;
        decisions[i].reason = core::decision_reason("its answer could not be stored: " + why);
        decisions[i].carried = false;
    }
    return decisions;
}

}  // namespace varde::rules
