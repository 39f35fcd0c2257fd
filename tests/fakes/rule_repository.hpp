#pragma once
#include "ports/rule_repository.hpp"

#include <algorithm>
#include <mutex>

namespace varde::fakes {

/// A RuleRepository in memory. Thread-safe.
class RuleRepository final : public ports::RuleRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    core::Result<std::vector<ports::RuleRow>> list() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rules: list");
        return rows_;
    }
    core::Result<std::optional<ports::RuleRow>> find(std::int64_t id) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rules: find");
        const auto row = std::ranges::find(rows_, id, &ports::RuleRow::id);
        return row == rows_.end() ? std::nullopt : std::optional{*row};
    }
    core::Result<void> ensure(const std::vector<std::string>& rule_ids, core::Instant now) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rules: ensure");
        for (const auto& rule_id : rule_ids) {
            if (std::ranges::find(rows_, rule_id, &ports::RuleRow::rule_id) != rows_.end()) continue;
            ports::RuleRow row;
            row.id = static_cast<std::int64_t>(rows_.size()) + 1;
            row.rule_id = rule_id;
            row.created_at = now;
            rows_.push_back(row);
        }
        return {};
    }
    core::Result<void> update(const ports::RuleRow& changed) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rules: update");
        const auto row = std::ranges::find(rows_, changed.id, &ports::RuleRow::id);
        if (row == rows_.end()) return core::fail(core::Errc::not_found, "fake rules: update");
        *row = changed;
        return {};
    }

  private:
    std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::vector<ports::RuleRow> rows_;
};

}  // namespace varde::fakes
