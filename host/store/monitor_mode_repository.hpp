#pragma once
#include "ports/monitor_mode_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The table monitor_modes.
class SqlMonitorModeRepository final : public ports::MonitorModeRepository {
  public:
    /// `database` outlives it.
    explicit SqlMonitorModeRepository(Database& database) : database_{database} {}

    /// Errc::invalid_argument: limit is out of its range.
    [[nodiscard]] core::Result<std::vector<ports::MonitorModeRow>> list(const ports::MonitorModeQuery& query) override;
    [[nodiscard]] core::Result<std::vector<ports::MonitorModeRow>> in_force() override;
    core::Result<core::MonitorMode> set(const ports::MonitorModeRow& row) override;

  private:
    Database& database_;
};

}  // namespace varde::store
