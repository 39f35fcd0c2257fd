// The part of the engine that has a rule with the params of several homes: a variant is one more instance in the rule's worker.
#include "evaluate/evaluation_engine.hpp"
#include "evaluate/worker_death.hpp"

namespace varde::evaluate {

// A home's params that a rule cannot be made with are that home's trouble: not_loaded weighs nothing, so that the breaker does not take
// the rule away from everybody.
void EvaluationEngine::make_variants(Rule& rule) {
    rule.variants.resize(rule.spec.variants.size());  // in their places: a run in progress points to them
    for (std::size_t i = 0; i < rule.variants.size(); ++i) {
        Variant& variant = rule.variants[i];
        variant.bound = rule.bound;
        if (rule.bound.failure && rule.bound.failure->reason != core::FailureReason::create_failed) continue;
        variant.bound.failure.reset();
        auto instance = rule.bound.runner->instance(rule.bound.member, rule.spec.variants[i]);
        if (auto* made = std::get_if<RuleRunner::Instance*>(&instance)) {
            variant.bound.instance = *made;
            continue;
        }
        core::Failed failed = std::get<core::Failed>(std::move(instance));
        failed.reason = core::FailureReason::not_loaded;
        failed.message = clean_message("cannot be made with the params that rules.yaml has for this home: " + failed.message);
        variant.bound.instance = nullptr;
        variant.bound.failure = std::move(failed);
    }
}

BoundRule& EvaluationEngine::Rule::bound_for(const ports::Evaluation& asked) {
    return asked.variant == 0 || asked.variant > variants.size() ? bound : variants[asked.variant - 1].bound;
}

const CarriedAnswers::Reads& EvaluationEngine::Rule::reads_for(const ports::Evaluation& asked) const {
    return asked.variant == 0 || asked.variant > variants.size() ? reads : variants[asked.variant - 1].reads;
}

void EvaluationEngine::for_each_bound(const std::function<void(BoundRule&)>& visit) {
    for (Rule& rule : rules_) {
        visit(rule.bound);
        for (Variant& variant : rule.variants) visit(variant.bound);
        if (!rule.candidate || rule.candidate->stage != Candidate::Stage::shadow) continue;
        visit(rule.candidate->bound);
        for (BoundRule& variant : rule.candidate->variants) visit(variant);
    }
}

}  // namespace varde::evaluate
