// The part of the engine that asks rules twice. A rule is a function of its instance and the window; one that is not has a data race, reads
// memory that was never set or draws lots, and an alarm of it cannot be explained afterwards.
#include "evaluate/evaluation_engine.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

constexpr std::uint64_t between_two_audits = 64;  // evaluations of a rule

}  // namespace

void EvaluationEngine::audit(std::span<const ports::Evaluation> evaluations, std::span<core::Verdict> verdicts) {
    std::vector<std::pair<Rule*, std::size_t>> chosen;
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        Rule* rule = find(evaluations[i].rule_id);
        if (rule == nullptr || rule->bound_for(evaluations[i]).failure || rule->called_random ||
            rule->evaluations++ % between_two_audits != 0)
            continue;
        if (std::holds_alternative<core::Completed>(verdicts[i])) chosen.emplace_back(rule, i);
    }
    if (chosen.empty()) return;
    std::vector<core::Verdict> again(chosen.size(), core::Failed{});
    EvaluationBatch batch{again, [](const RuleRunner&, std::size_t) {}, nullptr};
    for (std::size_t k = 0; k < chosen.size(); ++k) {
        auto& [rule, i] = chosen[k];
        const Demand demand = demand_of(k, rule->bound_for(evaluations[i]), evaluations[i], *events_.plan());
        // A window that would have to be read from the database again is not worth it.
        const bool is_live = demand.hull.since >= events_.live_since();
        if (rule->bound.runner->members().size() > 1 || !is_live ||
            !batch.add(ScopeView::live(events_, evaluations[i].scope), {&demand, 1}))
            rule = nullptr;
    }
    batch.flush();
    for (std::size_t k = 0; k < chosen.size(); ++k) {
        auto& [rule, i] = chosen[k];
        if (rule == nullptr) continue;
        const auto& answer = std::get<core::Completed>(verdicts[i]);
        if (!answer.carried)
            compare(*rule, answer, again[k]);
        else if (!still_holds(*rule, answer, again[k]))
            verdicts[i] = std::move(again[k]);
    }
}

bool EvaluationEngine::still_holds(Rule& rule, const core::Completed& carried, const core::Verdict& now) {
    const auto* answer = std::get_if<core::Completed>(&now);
    const auto same = [](const core::Finding& x, const core::Finding& y) {
        return x.severity == y.severity && x.title == y.title;
    };
    if (answer == nullptr) return true;  // it failed, which says nothing about what it had said
    if (carried.outcome == answer->outcome && std::ranges::equal(carried.findings, answer->findings, same)) return true;
    rule.keeps_its_word = false;
    carried_.forget(static_cast<std::size_t>(&rule - rules_.data()));
    sink_.log(ports::LogLevel::warning, "evaluate", "rule_valid_until_wrong",
              "an answer changed before it was to end; the rule is asked at every run from now on",
              {{"rule_id", rule.spec.plugin.rule_id},
               {"sha256", rule.spec.plugin.sha256},
               {"carried", std::string{core::name_of(carried.outcome)}},
               {"now", std::string{core::name_of(answer->outcome)}}});
    return false;
}

void EvaluationEngine::compare(Rule& rule, const core::Completed& first, const core::Verdict& second) {
    const auto* other = std::get_if<core::Completed>(&second);
    const auto* failed = fault_of_version(second);
    if (other == nullptr && failed == nullptr) return;
    const auto same = [](const core::Finding& x, const core::Finding& y) {
        return x.severity == y.severity && x.title == y.title && x.evidence == y.evidence && x.window == y.window;
    };
    if (other != nullptr && first.outcome == other->outcome && first.state == other->state &&
        std::ranges::equal(first.findings, other->findings, same))
        return;
    rule.called_random = true;
    sink_.log(ports::LogLevel::warning, "evaluate", "rule_nondeterministic", "a rule gave two answers to one window",
              {{"rule_id", rule.spec.plugin.rule_id},
               {"sha256", rule.spec.plugin.sha256},
               {"first", std::string{core::name_of(first.outcome)}},
               {"second", std::string{other != nullptr ? core::name_of(other->outcome) : core::name_of(failed->reason)}}});
}

}  // namespace varde::evaluate
