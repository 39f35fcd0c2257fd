#pragma once
#include "ports/decision_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The table decisions.
class SqlDecisionRepository final : public ports::DecisionRepository {
  public:
    /// `database` outlives it.
    explicit SqlDecisionRepository(Database& database) : database_{database} {}

    /// Errc::invalid_argument: limit is out of its range.
    [[nodiscard]] core::Result<std::vector<core::Decision>> list(const ports::DecisionQuery& query) override;
    [[nodiscard]] core::Result<std::optional<core::Decision>> find(const std::string& rule_id, const core::Scope& scope,
                                                                   core::Instant at) override;
    [[nodiscard]] core::Result<std::vector<core::Decision>> newest(core::Instant since) override;
    core::Result<std::int64_t> prune(core::Instant changes_before, core::Instant others_before, std::int64_t limit) override;

  private:
    Database& database_;
};

}  // namespace varde::store
