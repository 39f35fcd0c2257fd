#pragma once
#include "ports/deviation_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The deviations in the database. The tables exist (migrate()).
///
/// A transaction holds a session from begin() to its end. On SQLite it keeps other writers out from its first write on, so read first
/// and write in one go. What was read before may change until then: update() of a row whose status somebody else changed since this
/// transaction read it is Errc::conflict and changes nothing, as is insert() of a second active row of one key. The transaction goes
/// on after a conflict. After any other error roll back to the savepoint or give the transaction up.
class SqlDeviationRepository final : public ports::DeviationRepository {
  public:
    explicit SqlDeviationRepository(Database& database) : database_{database} {}

    core::Result<std::unique_ptr<ports::DeviationTransaction>> begin() override;
    core::Result<std::vector<core::RuleState>> rule_states() override;
    core::Result<std::vector<core::Deviation>> list(const ports::DeviationQuery& query) override;
    core::Result<std::map<std::string, std::int64_t>> count_by_rule() override;
    core::Result<std::optional<core::Deviation>> find(std::int64_t deviation_id) override;
    core::Result<void> update_if(const core::Deviation& deviation, core::DeviationStatus expected) override;
    core::Result<std::int64_t> prune(core::Instant closed_before, std::int64_t limit) override;

  private:
    Database& database_;
};

}  // namespace varde::store
