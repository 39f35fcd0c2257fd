// The part of the engine that brings new versions of rules into use while it runs (rollout.hpp has the decisions).
#include "evaluate/evaluation_engine.hpp"

#include "evaluate/worker_death.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace varde::evaluate {
namespace {

using Stage = Candidate::Stage;

bool same_trial(const ports::RuleSpec& a, const ports::RuleSpec& b) {
    return a.plugin.sha256 == b.plugin.sha256 && a.params == b.params;
}

core::Failed cannot_serve_homes(core::Failed why) {
    why.message = clean_message("cannot be made with the params that rules.yaml has for some homes: " + why.message);
    return why;
}

}  // namespace

void EvaluationEngine::meet_candidate(Rule& rule, ports::RuleSpec wanted) {
    ports::RuleSpec in_use = wanted;
    in_use.plugin = rule.spec.plugin;
    const bool is_in_use = rule.spec.plugin.bytes && rule.spec.plugin.sha256 == wanted.plugin.sha256;
    rule.spec = is_in_use ? std::move(wanted) : std::move(in_use);
    if (is_in_use) {
        rule.candidate.reset();
        return;
    }
    wanted = is_in_use ? rule.spec : wanted;
    if (rule.candidate && same_trial(rule.candidate->spec, wanted)) {
        Candidate& candidate = *rule.candidate;
        const bool same_homes = candidate.spec.variants == wanted.variants;
        candidate.spec = std::move(wanted);
        if (!same_homes && candidate.stage == Stage::shadow) make_variants(rule, candidate);
        return;
    }
    rule.candidate = Candidate{wanted, Stage::trial, {}, 0, {}};
    trials_->begin(std::move(wanted));
}

std::optional<core::Failed> EvaluationEngine::try_params(const std::string& rule_id, const std::string& params) {
    const Rule* const rule = find(rule_id);
    if (rule == nullptr || !rule->bound.runner || rule->bound.failure) return std::nullopt;
    auto instance = rule->bound.runner->instance(rule->bound.member, params);
    auto* const failed = std::get_if<core::Failed>(&instance);
    return failed == nullptr ? std::nullopt : std::optional{std::move(*failed)};
}

// A run takes the results of trials too: who asks here next is told all the same.
bool EvaluationEngine::settle() {
    take_next_steps();
    return std::exchange(news_, false);
}

void EvaluationEngine::take_next_steps() {
    if (!trials_) return;
    const auto states = [this] {
        std::vector<std::pair<std::string, Stage>> all;
        for (const Rule& rule : rules_)
            all.emplace_back(rule.spec.plugin.sha256, rule.candidate ? rule.candidate->stage : Stage::trial);
        return all;
    };
    const auto before = states();
    take_trial_results();
    swap_and_roll_back();
    news_ = news_ || states() != before;
}

void EvaluationEngine::take_trial_results() {
    for (TrialResult& result : trials_->take_results()) {
        for (Rule& rule : rules_) {
            if (!rule.candidate || rule.candidate->stage != Stage::trial) continue;
            Candidate& candidate = *rule.candidate;
            if (candidate.spec.plugin.rule_id != result.rule_id || candidate.spec.plugin.sha256 != result.sha256 ||
                candidate.spec.params != result.params)
                continue;
            if (result.failure) {
                candidate.refuse(std::move(*result.failure));
                continue;
            }
            auto instance = result.runner->instance(0, result.params);
            if (auto* failed = std::get_if<core::Failed>(&instance)) {
                candidate.refuse(std::move(*failed));
                continue;
            }
            const bool beside = rule.bound.runner && !rule.bound.failure;
            candidate.passed_trial({result.runner, 0, std::get<RuleRunner::Instance*>(instance), {}, nullptr, {}}, beside,
                                   settings_.shadow_windows);
            if (!make_variants(rule, candidate)) continue;
            plan_is_stale_ = true;
        }
    }
}

bool EvaluationEngine::make_variants(const Rule& rule, Candidate& candidate) const {
    candidate.variants.clear();
    static_cast<void>(candidate.bound.runner->adopt({candidate.spec}));  // its variants are to be kept
    for (std::size_t i = 0; i < candidate.spec.variants.size(); ++i) {
        BoundRule& variant = candidate.variants.emplace_back(candidate.bound);
        auto instance = candidate.bound.runner->instance(0, candidate.spec.variants[i]);
        if (auto* made = std::get_if<RuleRunner::Instance*>(&instance)) {
            variant.instance = *made;
            continue;
        }
        core::Failed failed = std::get<core::Failed>(std::move(instance));
        const bool works_now = i < rule.variants.size() && !rule.variants[i].bound.failure;
        if (works_now || failed.reason != core::FailureReason::create_failed) {
            candidate.refuse(cannot_serve_homes(std::move(failed)));
            return false;
        }
        // The version in use fails in those homes as well; this one is judged by the others.
        variant = candidate.bound;
    }
    return true;
}

bool EvaluationEngine::swap_and_roll_back() {
    bool changed = false;
    for (Rule& rule : rules_) {
        if (rule.candidate && rule.candidate->stage == Stage::ready) {
            rule.probation.reset();
            if (rule.bound.runner && !rule.bound.failure && settings_.probation > 0)
                rule.probation = Probation{rule.spec.plugin, settings_.probation, {}};
            rule.spec = rule.candidate->spec;
            rule.bound = rule.candidate->bound;
            rule.called_random = false;
            rule.candidate.reset();
            changed = true;
        } else if (rule.probation && rule.probation->failure) {
            const std::string bad = rule.spec.plugin.sha256;
            rule.candidate = Candidate{rule.spec, Stage::trial, {}, 0, {}};
            rule.candidate->refuse(*rule.probation->failure);
            rule.spec.plugin = rule.probation->previous;
            rule.probation.reset();
            sink_.log(ports::LogLevel::error, "plugins", "rule_rolled_back",
                      "a new version failed and the one before is in use again",
                      {{"rule_id", rule.spec.plugin.rule_id},
                       {"version", rule.spec.plugin.version},
                       {"sha256", rule.spec.plugin.sha256},
                       {"failed_sha256", bad},
                       {"reason", std::string{core::name_of(rule.candidate->failure->reason)}},
                       {"message", rule.candidate->failure->message}});
            changed = true;
        } else if (rule.probation && rule.probation->is_over()) {
            rule.probation.reset();
        }
    }
    if (!changed) return false;
    assign_runners(std::vector<Rule>{rules_});
    make_instances();
    plan_is_stale_ = true;
    return true;
}

void EvaluationEngine::judge_versions(std::span<const ports::Evaluation> evaluations, std::span<const core::Verdict> verdicts,
                                      std::span<const Shadow> shadows) {
    for (const Shadow& shadow : shadows)
        if (auto& candidate = rules_[shadow.rule].candidate) candidate->saw(verdicts[shadow.verdict]);
    std::unordered_map<std::string_view, Probation*> on_probation;
    for (Rule& rule : rules_) {
        if (rule.candidate) rule.candidate->run_passed();
        if (rule.probation) on_probation.emplace(rule.spec.plugin.rule_id, &*rule.probation);
    }
    if (on_probation.empty()) return;
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        const auto found = on_probation.find(evaluations[i].rule_id);
        if (found != on_probation.end()) found->second->saw(verdicts[i]);
    }
}

std::vector<ports::RuleInUse> EvaluationEngine::in_use() const {
    std::vector<ports::RuleInUse> list;
    for (const Rule& rule : rules_) {
        const ports::Plugin& plugin = rule.spec.plugin;
        ports::RuleInUse use{plugin.rule_id, plugin.path, plugin.version, plugin.sha256, rule.bound.failure, {}, {}};
        if (rule.candidate) {
            use.candidate_sha256 = rule.candidate->spec.plugin.sha256;
            use.candidate_failure = rule.candidate->failure;
        }
        list.push_back(std::move(use));
    }
    return list;
}

}  // namespace varde::evaluate
