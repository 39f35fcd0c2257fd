#pragma once
#include "fakes/decision_repository.hpp"
#include "ports/deviation_repository.hpp"

#include <algorithm>
#include <mutex>
#include <tuple>

namespace varde::fakes {

/// A DeviationRepository in memory that keeps the port's promises, also "at most one active row per key". Thread-safe; one
/// transaction at a time, whose changes nobody else sees before commit().
class DeviationRepository final : public ports::DeviationRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// Where committed decisions go; without it nowhere. It outlives this.
    void keep_decisions_in(DecisionRepository& decisions) { decisions_ = &decisions; }
    /// Puts a row in place, as if it had always been there; returns its id (the row's own if it has one).
    std::int64_t put(core::Deviation row) {
        const std::lock_guard lock{mutex_};
        if (row.deviation_id == 0) row.deviation_id = next_id_;
        next_id_ = std::max(next_id_, row.deviation_id + 1);
        rows_.push_back(row);
        return row.deviation_id;
    }
    [[nodiscard]] std::vector<core::Deviation> rows() const {
        const std::lock_guard lock{mutex_};
        return rows_;
    }

    core::Result<std::unique_ptr<ports::DeviationTransaction>> begin() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: begin");
        return std::make_unique<Transaction>(*this, State{rows_, next_id_, states_});
    }

    core::Result<std::vector<core::RuleState>> rule_states() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: rule_states");
        return states_;
    }

    core::Result<std::vector<core::Deviation>> list(const ports::DeviationQuery& query) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: list");
        std::vector<core::Deviation> found;
        std::ranges::copy_if(rows_, std::back_inserter(found), [&](const core::Deviation& row) {
            return query.scope.admits(row.scope) && (!query.status || row.status == *query.status) &&
                   (!query.subject_key || row.subject_key == *query.subject_key) &&
                   (!query.rule_id || row.rule_id == *query.rule_id);
        });
        std::ranges::stable_sort(found, [](const core::Deviation& a, const core::Deviation& b) {
            return std::tie(a.finding.severity, a.last_seen_at) > std::tie(b.finding.severity, b.last_seen_at);
        });
        if (found.size() > static_cast<std::size_t>(query.limit)) found.resize(static_cast<std::size_t>(query.limit));
        return found;
    }

    core::Result<std::optional<core::Deviation>> find(std::int64_t deviation_id) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: find");
        const auto row = std::ranges::find(rows_, deviation_id, &core::Deviation::deviation_id);
        return row == rows_.end() ? std::nullopt : std::optional{*row};
    }

    core::Result<std::map<std::string, std::int64_t>> count_by_rule() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: count_by_rule");
        std::map<std::string, std::int64_t> counts;
        for (const auto& row : rows_) ++counts[row.rule_id];
        return counts;
    }

    core::Result<void> update_if(const core::Deviation& deviation, core::DeviationStatus expected) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: update_if");
        const auto row = std::ranges::find(rows_, deviation.deviation_id, &core::Deviation::deviation_id);
        if (row == rows_.end() || row->status != expected) {
            return core::fail(core::Errc::conflict, "fake deviations: the row was changed by somebody else");
        }
        *row = deviation;
        return {};
    }

    core::Result<std::int64_t> prune(core::Instant closed_before, std::int64_t limit) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake deviations: prune");
        const auto gone = std::erase_if(rows_, [&](const core::Deviation& row) {
            return row.status == core::DeviationStatus::closed && row.closed_at && *row.closed_at < closed_before && limit-- > 0;
        });
        return static_cast<std::int64_t>(gone);
    }

  private:
    struct State {
        std::vector<core::Deviation> rows;
        std::int64_t next_id = 1;
        std::vector<core::RuleState> states;
    };

    class Transaction final : public ports::DeviationTransaction {
      public:
        Transaction(DeviationRepository& owner, State state) : owner_{owner}, state_{std::move(state)} {}

        core::Result<void> begin_savepoint() override {
            savepoint_ = state_;
            return check("savepoint");
        }
        core::Result<void> release_savepoint() override {
            savepoint_.reset();
            return check("release");
        }
        core::Result<void> rollback_savepoint() override {
            if (savepoint_) state_ = std::move(*savepoint_);
            savepoint_.reset();
            return check("rollback");
        }
        core::Result<std::vector<core::Deviation>> active() override {
            if (auto ok = check("active"); !ok) return tl::unexpected{ok.error()};
            std::vector<core::Deviation> found;
            std::ranges::copy_if(state_.rows, std::back_inserter(found),
                                 [](const core::Deviation& row) { return row.status != core::DeviationStatus::closed; });
            return found;
        }
        core::Result<std::int32_t> next_episode(const std::string& rule_id, const core::Scope& scope,
                                                const std::string& subject_key) override {
            if (auto ok = check("next_episode"); !ok) return tl::unexpected{ok.error()};
            return static_cast<std::int32_t>(std::ranges::count_if(state_.rows,
                                                                   [&](const core::Deviation& row) {
                                                                       return row.rule_id == rule_id && row.scope == scope &&
                                                                              row.subject_key == subject_key;
                                                                   })) +
                   1;
        }
        core::Result<std::int64_t> insert(const core::Deviation& deviation) override {
            if (auto ok = check("insert"); !ok) return tl::unexpected{ok.error()};
            const bool taken = std::ranges::any_of(state_.rows, [&](const core::Deviation& row) {
                return row.status != core::DeviationStatus::closed && row.rule_id == deviation.rule_id &&
                       row.scope == deviation.scope && row.subject_key == deviation.subject_key;
            });
            if (taken) return core::fail(core::Errc::conflict, "fake deviations: an active row of this key exists");
            state_.rows.push_back(deviation);
            state_.rows.back().deviation_id = state_.next_id;
            return state_.next_id++;
        }
        core::Result<void> update(const core::Deviation& deviation) override {
            if (auto ok = check("update"); !ok) return ok;
            const auto row = std::ranges::find(state_.rows, deviation.deviation_id, &core::Deviation::deviation_id);
            if (row == state_.rows.end()) return core::fail(core::Errc::not_found, "fake deviations: update");
            *row = deviation;
            return {};
        }
        core::Result<void> keep_state(const core::RuleState& state, core::Instant) override {
            if (auto ok = check("keep_state"); !ok) return ok;
            std::erase_if(state_.states, [&](const core::RuleState& kept) {
                return kept.rule_id == state.rule_id && kept.scope == state.scope;
            });
            if (!state.bytes.empty()) state_.states.push_back(state);
            return {};
        }
        core::Result<void> keep_decisions(std::span<const core::Decision> decisions) override {
            if (auto ok = check("keep_decisions"); !ok) return ok;
            decisions_.insert(decisions_.end(), decisions.begin(), decisions.end());
            return {};
        }
        core::Result<void> commit() override {
            if (auto ok = check("commit"); !ok) return ok;
            if (owner_.decisions_ != nullptr) owner_.decisions_->put(decisions_);
            const std::lock_guard lock{owner_.mutex_};
            owner_.rows_ = state_.rows;
            owner_.next_id_ = state_.next_id;
            owner_.states_ = state_.states;
            return {};
        }

      private:
        core::Result<void> check(const char* what) const {
            const std::lock_guard lock{owner_.mutex_};
            if (owner_.failure_) return core::fail(*owner_.failure_, std::string{"fake deviations: "} + what);
            return {};
        }
        DeviationRepository& owner_;
        State state_;
        std::optional<State> savepoint_;
        std::vector<core::Decision> decisions_;
    };

    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::vector<core::Deviation> rows_;
    DecisionRepository* decisions_ = nullptr;
    std::int64_t next_id_ = 1;
    std::vector<core::RuleState> states_;
};

}  // namespace varde::fakes
