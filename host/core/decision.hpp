#pragma once
#include "core/instant.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varde::core {

/// What became of one rule in one scope in a run.
enum class DecisionOutcome {
    met,      ///< it found something
    not_met,  ///< it looked and found nothing
    no_data,  ///< it was asked and had nothing to judge from
    unknown,  ///< it was asked and could not decide
    gated,    ///< not asked: too little is known of the scope
    skipped,  ///< not asked: the rule is out of service after failures
    error,    ///< asked without an answer, or the answer could not be stored
};
/// "met", "not_met", "no_data", "unknown", "gated", "skipped", "error"
[[nodiscard]] std::string_view name_of(DecisionOutcome outcome);
[[nodiscard]] std::optional<DecisionOutcome> decision_outcome_from(std::string_view name);

/// A stretch of runs that decided the same about one rule and scope. A stretch that goes on for long is kept as several records, of which
/// only the first one is_change().
struct Decision {
    std::int64_t decision_id = 0;  ///< the store's; 0: not stored yet
    std::string rule_id;
    Scope scope;
    DecisionOutcome outcome = DecisionOutcome::not_met;
    std::string reason;  ///< of the newest run that asked, UTF-8, at most kMaxDecisionReason bytes; may be empty
    Instant since{};     ///< every run from then to last_at had this outcome
    Instant first_at{};  ///< the first run of this record; one record of a rule and scope begins at an instant
    Instant last_at{};   ///< its newest run
    Instant asked_at{};  ///< the run that `reason` is of; runs after it gave an answer again that still held
    std::int64_t runs = 1;
    std::string run_id;  ///< of the newest run
    friend bool operator==(const Decision&, const Decision&) = default;

    /// Whether the outcome before was another one, or none.
    [[nodiscard]] bool is_change() const { return since == first_at; }
};

inline constexpr std::size_t kMaxDecisionReason = 500;
/// UTF-8 as a reason: without a worker's log, which is not about one home (core/evidence_facts.hpp), cut between two characters if it is
/// too long ("..." says so), NUL bytes as blanks.
[[nodiscard]] std::string decision_reason(std::string_view text);

}  // namespace varde::core
