#pragma once
#include "ports/decision_repository.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

namespace varde::fakes {

/// A DecisionRepository in memory. Thread-safe.
class DecisionRepository final : public ports::DecisionRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// As DeviationTransaction::keep_decisions() does.
    void put(std::span<const core::Decision> decisions) {
        const std::lock_guard lock{mutex_};
        for (core::Decision row : decisions) {
            const auto same = std::ranges::find_if(rows_, [&](const core::Decision& stored) { return key(stored) == key(row); });
            row.decision_id = same == rows_.end() ? ++last_id_ : same->decision_id;
            if (same == rows_.end())
                rows_.push_back(std::move(row));
            else
                *same = std::move(row);
        }
        writes_ += decisions.size();
    }
    /// In the order of decision_id.
    [[nodiscard]] std::vector<core::Decision> rows() const {
        const std::lock_guard lock{mutex_};
        return rows_;
    }
    /// How many records were put so far, repeats included.
    [[nodiscard]] std::size_t writes() const {
        const std::lock_guard lock{mutex_};
        return writes_;
    }

    [[nodiscard]] core::Result<std::vector<core::Decision>> list(const ports::DecisionQuery& query) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake decisions: list");
        std::vector<core::Decision> found;
        for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
            const bool wanted =
                query.scope.admits(row->scope) && (!query.rule_id || row->rule_id == *query.rule_id) &&
                (!query.outcome || row->outcome == *query.outcome) && (!query.since || row->last_at >= *query.since) &&
                (!query.until || row->first_at < *query.until) && (query.before == 0 || row->decision_id < query.before);
            if (wanted && found.size() < static_cast<std::size_t>(query.limit)) found.push_back(*row);
        }
        return found;
    }
    [[nodiscard]] core::Result<std::optional<core::Decision>> find(const std::string& rule_id, const core::Scope& scope,
                                                                   core::Instant at) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake decisions: find");
        std::optional<core::Decision> found;
        for (const auto& row : rows_) {
            const bool fits = row.rule_id == rule_id && row.scope == scope && row.first_at <= at;
            if (fits && (!found || row.first_at > found->first_at)) found = row;
        }
        return found;
    }
    [[nodiscard]] core::Result<std::vector<core::Decision>> newest(core::Instant since) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake decisions: newest");
        std::map<std::pair<std::string, core::Scope>, core::Decision> newest;
        for (const auto& row : rows_) {
            if (row.first_at < since) continue;
            const auto [place, fresh] = newest.try_emplace({row.rule_id, row.scope}, row);
            if (!fresh && row.first_at > place->second.first_at) place->second = row;
        }
        std::vector<core::Decision> found;
        for (auto& [rule_and_scope, row] : newest) found.push_back(std::move(row));
        return found;
    }
    core::Result<std::int64_t> prune(core::Instant changes_before, core::Instant others_before, std::int64_t limit) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake decisions: prune");
        const auto before = std::ssize(rows_);
        for (const bool change : {true, false}) {
            std::int64_t left = limit;
            std::erase_if(rows_, [&](const core::Decision& row) {
                return row.is_change() == change && row.first_at < (change ? changes_before : others_before) && left-- > 0;
            });
        }
        return before - std::ssize(rows_);
    }

  private:
    using Key = std::tuple<const std::string&, const core::Scope&, core::Instant>;
    static Key key(const core::Decision& row) { return {row.rule_id, row.scope, row.first_at}; }

    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::vector<core::Decision> rows_;
    std::int64_t last_id_ = 0;
    std::size_t writes_ = 0;
};

}  // namespace varde::fakes
