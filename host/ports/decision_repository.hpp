#pragma once
#include "core/decision.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

struct DecisionQuery {
    core::ScopeFilter scope{};
    std::optional<std::string> rule_id{};
    std::optional<core::DecisionOutcome> outcome{};
    std::optional<core::Instant> since{};  ///< records with a run at or after it
    std::optional<core::Instant> until{};  ///< records with a run before it
    std::int64_t before = 0;               ///< the next page: only records that began before this decision_id; 0: from the newest
    int limit = 100;                       ///< 1..1000
};

/// What runs decided (DeviationTransaction::keep_decisions writes it). Thread-safe; blocking: call on a database thread only.
class DecisionRepository {
  public:
    virtual ~DecisionRepository() = default;
    /// Newest first: in falling order of decision_id.
    [[nodiscard]] virtual core::Result<std::vector<core::Decision>> list(const DecisionQuery& query) = 0;
    /// The record that was in force at `at`: of those that had begun by then the newest. Its last run may be long before `at`.
    [[nodiscard]] virtual core::Result<std::optional<core::Decision>> find(const std::string& rule_id, const core::Scope& scope,
                                                                           core::Instant at) = 0;
    /// The newest record of each rule and scope, of those that began at `since` or later.
    [[nodiscard]] virtual core::Result<std::vector<core::Decision>> newest(core::Instant since) = 0;
    /// Deletes at most `limit` records of either kind, the oldest first: changes that began before `changes_before`, and others that
    /// began before `others_before`. Returns how many went.
    virtual core::Result<std::int64_t> prune(core::Instant changes_before, core::Instant others_before, std::int64_t limit) = 0;
};

}  // namespace varde::ports
