#pragma once
#include "core/decision.hpp"
#include "core/deviation.hpp"
#include "core/error.hpp"
#include "core/rule_state.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ports {

struct DeviationQuery {
    core::ScopeFilter scope;
    std::optional<core::DeviationStatus> status;
    std::optional<std::string> subject_key;
    std::optional<std::string> rule_id;
    int limit = 50;  ///< 1..500
};

/// The writes of one scheduler run: one transaction, one savepoint per rule and scope. Not thread-safe. Destroyed without commit():
/// everything is undone.
class DeviationTransaction {
  public:
    virtual ~DeviationTransaction() = default;
    virtual core::Result<void> begin_savepoint() = 0;
    virtual core::Result<void> release_savepoint() = 0;
    virtual core::Result<void> rollback_savepoint() = 0;
    /// Every OPEN or ACK row of every scope.
    virtual core::Result<std::vector<core::Deviation>> active() = 0;
    /// The episode number a new row of this key gets: rows of the key so far + 1.
    virtual core::Result<std::int32_t> next_episode(const std::string& rule_id, const core::Scope& scope,
                                                    const std::string& subject_key) = 0;
    /// Stores a new row; returns its id.
    virtual core::Result<std::int64_t> insert(const core::Deviation& deviation) = 0;
    /// Stores the changed row of deviation.deviation_id.
    virtual core::Result<void> update(const core::Deviation& deviation) = 0;
    /// Keeps what a rule wants to find again at its next evaluation; without bytes nothing is kept any more.
    virtual core::Result<void> keep_state(const core::RuleState& state, core::Instant now) = 0;
    /// Stores what runs decided, of a rule, scope and first_at one record at most; a stored one of the same three is replaced.
    /// decision_id is not looked at.
    virtual core::Result<void> keep_decisions(std::span<const core::Decision> decisions) = 0;
    virtual core::Result<void> commit() = 0;
};

/// Blocking: call on a database thread only. Thread-safe.
class DeviationRepository {
  public:
    virtual ~DeviationRepository() = default;
    virtual core::Result<std::unique_ptr<DeviationTransaction>> begin() = 0;
    /// What keep_state() stored, of all rules and scopes.
    virtual core::Result<std::vector<core::RuleState>> rule_states() = 0;
    /// Sorted by severity, then last_seen_at, descending.
    virtual core::Result<std::vector<core::Deviation>> list(const DeviationQuery& query) = 0;
    /// How many rows there are of each rule, of any status and age: its episodes so far. A rule without one is left out.
    virtual core::Result<std::map<std::string, std::int64_t>> count_by_rule() = 0;
    virtual core::Result<std::optional<core::Deviation>> find(std::int64_t deviation_id) = 0;
    /// Stores the changed row if its status is still `expected`; Errc::conflict if not.
    virtual core::Result<void> update_if(const core::Deviation& deviation, core::DeviationStatus expected) = 0;
    /// Deletes up to `limit` rows that were closed before an instant, those that began first first, and returns how many went. A key
    /// whose rows are all gone begins with episode 1 again.
    virtual core::Result<std::int64_t> prune(core::Instant closed_before, std::int64_t limit) = 0;
};

}  // namespace varde::ports
