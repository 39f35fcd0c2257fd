#pragma once
#include "ports/deviation_repository.hpp"
#include "store/database_impl.hpp"
#include "store/deviation_rows.hpp"

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace varde::store {

/// See SqlDeviationRepository. Nothing is begun in the database before the first write, savepoints included: a rule that finds nothing
/// costs no round trip. Statements are prepared once a transaction and bound to `columns_`.
class SqlDeviationTransaction final : public ports::DeviationTransaction {
  public:
    /// Throws SqlFailure.
    explicit SqlDeviationTransaction(Database::Impl& database) : database_{database}, session_{database.lease()} {}

    core::Result<void> begin_savepoint() override;
    core::Result<void> release_savepoint() override;
    core::Result<void> rollback_savepoint() override;
    core::Result<std::vector<core::Deviation>> active() override;
    core::Result<std::int32_t> next_episode(const std::string& rule_id, const core::Scope& scope,
                                            const std::string& subject_key) override;
    core::Result<std::int64_t> insert(const core::Deviation& deviation) override;
    core::Result<void> update(const core::Deviation& deviation) override;
    core::Result<void> keep_state(const core::RuleState& state, core::Instant now) override;
    core::Result<void> keep_decisions(std::span<const core::Decision> decisions) override;
    core::Result<void> commit() override;

  private:
    /// Opens the transaction and the savepoint, if this is the first write in them.
    void start_writing();
    void end_savepoint(const char* sql);
    void remember(std::int64_t deviation_id, std::optional<core::DeviationStatus> status);
    [[nodiscard]] std::optional<core::DeviationStatus> status_of(std::int64_t deviation_id);

    Database::Impl& database_;
    Database::Impl::Lease session_;
    std::optional<WriteTransaction> transaction_;
    bool savepoint_wanted_ = false;
    bool savepoint_open_ = false;
    DeviationColumns columns_;
    long long inserted_id_ = 0;
    std::string expected_status_;
    std::unique_ptr<soci::statement> insert_, update_;
    /// The status each row has as far as this transaction knows: as active() read it, or as written since.
    std::unordered_map<std::int64_t, core::DeviationStatus> known_;
    /// What known_ was before the savepoint, newest last.
    std::vector<std::pair<std::int64_t, std::optional<core::DeviationStatus>>> undo_;
};

}  // namespace varde::store
