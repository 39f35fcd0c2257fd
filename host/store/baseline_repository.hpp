#pragma once
#include "ports/baseline_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The table baseline_model_status: one row a scope.
class SqlBaselineRepository final : public ports::BaselineRepository {
  public:
    /// `database` outlives it.
    explicit SqlBaselineRepository(Database& database) : database_{database} {}

    [[nodiscard]] core::Result<std::vector<core::BaselineStatus>> list(const core::ScopeFilter& visible) override;
    [[nodiscard]] core::Result<std::optional<core::BaselineStatus>> find(const core::Scope& scope) override;
    core::Result<void> save(const core::BaselineStatus& status) override;

  private:
    Database& database_;
};

}  // namespace varde::store
