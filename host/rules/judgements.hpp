#pragma once
#include "config/settings.hpp"
#include "core/verdict.hpp"
#include "ports/evaluator.hpp"
#include "rules/gates.hpp"
#include "rules/rule_states.hpp"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace varde::rules {

/// A rule that runs in some home, with what holds where Gates::home_rule() says nothing else.
struct EnabledRule {
    std::string id;
    std::chrono::microseconds lookback;
    std::chrono::microseconds expire_after;
};

/// What the rules said in one run: one entry per scope and rule, scopes outer, rules in id order. Only verdicts that lead to a write or an
/// error are kept whole, so that a run over many homes stays small.
class Judgements {
  public:
    enum class Reasons { drop, keep };
    /// Scopes are sorted and without repeats. Reasons::keep: reason() is wanted, which costs memory.
    Judgements(std::vector<EnabledRule> rules, std::vector<core::Scope> scopes, core::Instant now, Gates gates = {},
               Reasons reasons = Reasons::drop);

    /// Judges everything that the gates let through, each rule with what it kept. Errors: the evaluator's; Errc::stopping once
    /// `abandoned` says so.
    core::Result<void> judge(ports::Evaluator& evaluator, const RuleStates& states, const std::function<bool()>& abandoned);

    [[nodiscard]] std::size_t size() const { return rules_.size() * scopes_.size(); }
    [[nodiscard]] const EnabledRule& rule(std::size_t i) const { return rules_[i % rules_.size()]; }
    [[nodiscard]] const core::Scope& scope(std::size_t i) const { return scopes_[i / rules_.size()]; }
    [[nodiscard]] core::Window window(std::size_t i) const;
    [[nodiscard]] std::chrono::nanoseconds duration(std::size_t i) const {
        return std::chrono::nanoseconds{entries_[i].duration_ns};
    }
    /// The rule is switched off in this home: it is not part of the run.
    [[nodiscard]] bool off(std::size_t i) const { return entries_[i].off; }
    /// The rule was not asked about the scope: too little is known of it.
    [[nodiscard]] bool gated(std::size_t i) const { return entries_[i].gated; }
    /// What it answered; unknown if it was not asked or failed.
    [[nodiscard]] core::Outcome outcome(std::size_t i) const { return entries_[i].outcome; }
    /// Why it answered so, in its own words (core::decision_reason); for a finding without a word its title.
    [[nodiscard]] const std::string& reason(std::size_t i) const { return entries_[i].reason; }
    /// The answer is an earlier one that still holds: the rule was not asked again.
    [[nodiscard]] bool carried(std::size_t i) const { return entries_[i].carried; }
    [[nodiscard]] core::Instant now() const { return now_; }
    [[nodiscard]] const Gates& gates() const { return gates_; }
    /// The failure, if the rule gave no answer.
    [[nodiscard]] const core::Failed* failure(std::size_t i) const;
    /// The finding to keep: the most severe one, the first of equals; nullptr if there is none.
    [[nodiscard]] const core::Finding* finding(std::size_t i) const;
    /// What the rule wants to keep for the scope from now on, if that is something new.
    [[nodiscard]] std::optional<core::RuleState> new_state(std::size_t i) const;

    /// Whether the rule answered met or not_met for the scope. no_data, unknown, gated, a failure and "not part of this run" say
    /// nothing about whether a deviation still holds.
    [[nodiscard]] bool has_answer(const std::string& rule_id, const core::Scope& scope) const;
    /// How long a deviation of the rule and home stays open unseen; nullopt: the rule is not part of the run there.
    [[nodiscard]] std::optional<std::chrono::microseconds> expire_after(const std::string& rule_id,
                                                                        const core::Scope& scope) const;
    [[nodiscard]] const std::vector<core::Scope>& scopes() const { return scopes_; }

  private:
    struct Entry {
        std::int64_t duration_ns = 0;
        core::Outcome outcome = core::Outcome::unknown;
        bool off = false;
        bool gated = false;
        bool carried = false;
        std::string reason;
    };
    [[nodiscard]] const EnabledRule* find_rule(const std::string& rule_id) const;
    void keep(std::size_t i, core::Verdict verdict, const RuleStates& states);

    std::vector<EnabledRule> rules_;
    std::vector<core::Scope> scopes_;
    core::Instant now_;
    Gates gates_;
    Reasons reasons_;
    std::vector<Entry> entries_;
    std::unordered_map<std::size_t, core::Verdict> notable_;
};

}  // namespace varde::rules
