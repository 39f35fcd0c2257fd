#pragma once
#include "core/decision.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace varde::rules {

/// What one run decided about one rule and scope.
struct RunDecision {
    std::string rule_id;
    core::Scope scope;
    core::DecisionOutcome outcome = core::DecisionOutcome::not_met;
    std::string reason;    ///< core::decision_reason
    bool carried = false;  ///< an earlier answer that still holds: `reason` is no newer than the one before
};

struct RunStamp {
    std::string run_id;
    core::Instant at{};
    std::chrono::microseconds interval{};
};

/// Makes records of what runs decide: a record goes on while the outcome stays, and what changes nothing but its end is written now and
/// then only. Pure: the caller stores what due() returns, and says with adopt() that it was stored; until then nothing has changed.
///
/// A record ends and the next one begins when the outcome changes, after kLongest, and after a time in which no run looked (longer than
/// three intervals, two flushes and a quarter of an hour: the host was down, the rule switched off). One thread at a time.
class DecisionBook {
  public:
    static constexpr std::chrono::hours kLongest{24};
    /// What begins within this time before a run can go on in it: what a new book must be given.
    static constexpr std::chrono::hours kRemembered{48};

    /// `newest`: the newest stored record of each rule and scope.
    DecisionBook(std::vector<core::Decision> newest, std::chrono::microseconds flush_every);

    /// The records to store in the transaction of the run: those that begin or end, and once every flush_every all that have gone on. The
    /// first run of a book writes all. Every rule and scope stands at most once in `decisions`.
    [[nodiscard]] std::vector<core::Decision> due(std::span<const RunDecision> decisions, const RunStamp& run) const;
    /// The run is committed. The same arguments as due() had.
    void adopt(std::span<const RunDecision> decisions, const RunStamp& run);
    [[nodiscard]] bool flushes_at(core::Instant at) const;

    /// Records that have gone on since they were last stored, for the end of the host.
    [[nodiscard]] std::vector<core::Decision> unwritten() const;
    /// unwritten() was stored.
    void written();

  private:
    struct Key {
        std::string rule_id;
        core::Scope scope;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return core::ScopeHash{}(key.scope) * 31 + std::hash<std::string>{}(key.rule_id);
        }
    };
    struct Entry {
        core::Decision record;
        bool unwritten = false;
    };
    [[nodiscard]] const Entry* find(const RunDecision& decision) const;
    [[nodiscard]] bool goes_on(const core::Decision& record, const RunDecision& decision, const RunStamp& run) const;
    [[nodiscard]] core::Decision next(const Entry* before, const RunDecision& decision, const RunStamp& run) const;
    void forget_old(core::Instant now);

    std::chrono::microseconds flush_every_;
    std::optional<core::Instant> flushed_at_;
    std::unordered_map<Key, Entry, KeyHash> entries_;
};

}  // namespace varde::rules
