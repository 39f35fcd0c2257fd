#pragma once
#include "ports/baseline_repository.hpp"

#include <map>
#include <mutex>

namespace varde::fakes {

/// A BaselineRepository in memory. Thread-safe.
class BaselineRepository final : public ports::BaselineRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }

    [[nodiscard]] core::Result<std::vector<core::BaselineStatus>> list(const core::ScopeFilter& visible) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake baselines: list");
        std::vector<core::BaselineStatus> found;
        for (const auto& [scope, row] : rows_) {
            if (visible.admits(scope)) found.push_back(row);
        }
        return found;
    }
    [[nodiscard]] core::Result<std::optional<core::BaselineStatus>> find(const core::Scope& scope) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake baselines: find");
        const auto row = rows_.find(scope);
        return row == rows_.end() ? std::nullopt : std::optional{row->second};
    }
    core::Result<void> save(const core::BaselineStatus& status) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake baselines: save");
        rows_.insert_or_assign(status.scope, status);
        return {};
    }
    /// A home whose habits are known: `days` days with data.
    void put(const core::Scope& scope, bool ready, std::int64_t days = 7) {
        core::BaselineStatus status;
        status.scope = scope;
        status.ready = ready;
        status.days_with_data = days;
        (void)save(status);
    }

  private:
    std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::map<core::Scope, core::BaselineStatus> rows_;
};

}  // namespace varde::fakes
