#include "rules/judgements.hpp"

#include "core/decision.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace varde::rules {
namespace {

/// Evaluations handed over at once: enough for one wake of a worker to carry many, few enough to notice a stop in between.
constexpr std::size_t kChunk = 16'384;

/// The first of equals. There is one.
const core::Finding& most_severe(const core::Completed& answer) {
    return *std::ranges::max_element(answer.findings, {}, &core::Finding::severity);
}

}  // namespace

Judgements::Judgements(std::vector<EnabledRule> rules, std::vector<core::Scope> scopes, core::Instant now, Gates gates,
                       Reasons reasons)
    : rules_{std::move(rules)},
      scopes_{std::move(scopes)},
      now_{now},
      gates_{std::move(gates)},
      reasons_{reasons},
      entries_(size()) {}

core::Result<void> Judgements::judge(ports::Evaluator& evaluator, const RuleStates& states,
                                     const std::function<bool()>& abandoned) {
    std::vector<ports::Evaluation> chunk;
    std::vector<std::size_t> asked;
    for (std::size_t first = 0; first < size(); first += kChunk) {
        if (abandoned && abandoned()) return core::fail(core::Errc::stopping, "the run was abandoned: the host is going down");
        const auto last = std::min(first + kChunk, size());
        chunk.clear();
        asked.clear();
        for (std::size_t i = first; i < last; ++i) {
            entries_[i].off = !gates_.runs(rule(i).id, scope(i));
            entries_[i].gated = !entries_[i].off && !gates_.asks(rule(i).id, scope(i));
            if (entries_[i].off || entries_[i].gated) continue;
            asked.push_back(i);
            const auto* home = gates_.home_rule(rule(i).id, scope(i));
            chunk.push_back({rule(i).id, scope(i), window(i), now_, states.find(rule(i).id, scope(i)), false,
                             home == nullptr ? 0 : home->variant});
        }
        if (chunk.empty()) continue;
        auto verdicts = evaluator.evaluate(chunk);
        if (!verdicts) return tl::unexpected{verdicts.error()};
        if (verdicts->size() != chunk.size()) {
            return core::fail(core::Errc::worker_failed,
                              fmt::format("{} verdicts came for {} evaluations", verdicts->size(), chunk.size()));
        }
        for (std::size_t i = 0; i < asked.size(); ++i) keep(asked[i], std::move((*verdicts)[i]), states);
    }
    return {};
}

void Judgements::keep(std::size_t i, core::Verdict verdict, const RuleStates& states) {
    if (const auto* failed = std::get_if<core::Failed>(&verdict)) {
        entries_[i].duration_ns = failed->duration.count();
        notable_.emplace(i, std::move(verdict));
        return;
    }
    auto& completed = std::get<core::Completed>(verdict);
    if (completed.state && !states.differs({rule(i).id, scope(i), *completed.state})) completed.state.reset();
    entries_[i].duration_ns = completed.duration.count();
    entries_[i].outcome = completed.outcome;
    entries_[i].carried = completed.carried;
    if (reasons_ == Reasons::keep) {
        const bool wordless = completed.reason.empty() && !completed.findings.empty();
        entries_[i].reason = core::decision_reason(wordless ? most_severe(completed).title : completed.reason);
    }
    if (!completed.findings.empty() || completed.state) notable_.emplace(i, std::move(verdict));
}

const core::Failed* Judgements::failure(std::size_t i) const {
    const auto found = notable_.find(i);
    return found == notable_.end() ? nullptr : std::get_if<core::Failed>(&found->second);
}

const core::Finding* Judgements::finding(std::size_t i) const {
    const auto found = notable_.find(i);
    if (found == notable_.end()) return nullptr;
    const auto* completed = std::get_if<core::Completed>(&found->second);
    if (completed == nullptr || completed->findings.empty()) return nullptr;
    return &most_severe(*completed);
}

std::optional<core::RuleState> Judgements::new_state(std::size_t i) const {
    const auto found = notable_.find(i);
    const auto* completed = found == notable_.end() ? nullptr : std::get_if<core::Completed>(&found->second);
    if (completed == nullptr || !completed->state) return std::nullopt;
    return core::RuleState{rule(i).id, scope(i), *completed->state};
}

core::Window Judgements::window(std::size_t i) const {
    const auto* home = gates_.home_rule(rule(i).id, scope(i));
    return {now_ - (home == nullptr ? rule(i).lookback : home->lookback), now_};
}

std::optional<std::chrono::microseconds> Judgements::expire_after(const std::string& rule_id, const core::Scope& scope) const {
    const auto* rule = find_rule(rule_id);
    if (rule == nullptr || !gates_.runs(rule_id, scope)) return std::nullopt;
    const auto* home = gates_.home_rule(rule_id, scope);
    return home == nullptr ? rule->expire_after : home->expire_after;
}

const EnabledRule* Judgements::find_rule(const std::string& rule_id) const {
    const auto found = std::ranges::lower_bound(rules_, rule_id, {}, &EnabledRule::id);
    return found == rules_.end() || found->id != rule_id ? nullptr : &*found;
}

bool Judgements::has_answer(const std::string& rule_id, const core::Scope& scope) const {
    const auto* rule = find_rule(rule_id);
    const auto at = std::ranges::lower_bound(scopes_, scope);
    if (rule == nullptr || at == scopes_.end() || *at != scope) return false;
    const auto i =
        static_cast<std::size_t>(at - scopes_.begin()) * rules_.size() + static_cast<std::size_t>(rule - rules_.data());
    return entries_[i].outcome == core::Outcome::met || entries_[i].outcome == core::Outcome::not_met;
}

}  // namespace varde::rules
