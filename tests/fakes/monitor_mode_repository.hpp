#pragma once
#include "ports/monitor_mode_repository.hpp"

#include <map>
#include <mutex>
#include <tuple>

namespace varde::fakes {

/// A MonitorModeRepository in memory. Thread-safe.
class MonitorModeRepository final : public ports::MonitorModeRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }

    [[nodiscard]] core::Result<std::vector<ports::MonitorModeRow>> list(const ports::MonitorModeQuery& query) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake monitor modes: list");
        std::vector<ports::MonitorModeRow> found;
        for (const auto& [key, row] : rows_) {
            const bool wanted = query.scope.admits(row.scope) && (!query.monitor_key || row.monitor_key == *query.monitor_key) &&
                                (!query.room_id || row.room_id == *query.room_id);
            if (wanted && found.size() < static_cast<std::size_t>(query.limit)) found.push_back(row);
        }
        return found;
    }
    [[nodiscard]] core::Result<std::vector<ports::MonitorModeRow>> in_force() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake monitor modes: in_force");
        std::vector<ports::MonitorModeRow> found;
        for (const auto& [key, row] : rows_) {
            if (row.room_id == ports::kWholeHome) found.push_back(row);
        }
        return found;
    }
    core::Result<core::MonitorMode> set(const ports::MonitorModeRow& row) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake monitor modes: set");
        const auto [place, fresh] = rows_.try_emplace({row.scope, row.monitor_key, row.room_id}, row);
        const auto before = fresh ? core::MonitorMode::on : place->second.mode;
        place->second = row;
        return before;
    }
    void put(const std::string& rule_id, core::MonitorMode mode, const core::Scope& scope = {}) {
        ports::MonitorModeRow row;
        row.scope = scope;
        row.monitor_key = rule_id;
        row.mode = mode;
        (void)set(row);
    }

  private:
    std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::map<std::tuple<core::Scope, std::string, std::string>, ports::MonitorModeRow> rows_;
};

}  // namespace varde::fakes
