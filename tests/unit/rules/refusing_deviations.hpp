#pragma once
#include "fakes/deviation_repository.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace varde::scripted {

/// Deviations whose writes for one rule fail, as a row that breaks a constraint would.
class RefusingDeviations final : public ports::DeviationRepository {
  public:
    RefusingDeviations(fakes::DeviationRepository& rows, std::string rule_id, core::Errc code)
        : rows_{rows}, rule_id_{std::move(rule_id)}, code_{code} {}

    core::Result<std::unique_ptr<ports::DeviationTransaction>> begin() override {
        auto inner = rows_.begin();
        if (!inner) return tl::unexpected{inner.error()};
        return std::make_unique<Transaction>(std::move(*inner), *this);
    }
    core::Result<std::vector<core::RuleState>> rule_states() override { return rows_.rule_states(); }
    core::Result<std::vector<core::Deviation>> list(const ports::DeviationQuery& query) override { return rows_.list(query); }
    core::Result<std::optional<core::Deviation>> find(std::int64_t id) override { return rows_.find(id); }
    core::Result<std::map<std::string, std::int64_t>> count_by_rule() override { return rows_.count_by_rule(); }
    core::Result<void> update_if(const core::Deviation& row, core::DeviationStatus expected) override {
        return rows_.update_if(row, expected);
    }
    core::Result<std::int64_t> prune(core::Instant closed_before, std::int64_t limit) override {
        return rows_.prune(closed_before, limit);
    }

  private:
    class Transaction final : public ports::DeviationTransaction {
      public:
        Transaction(std::unique_ptr<ports::DeviationTransaction> inner, const RefusingDeviations& owner)
            : inner_{std::move(inner)}, owner_{owner} {}
        core::Result<void> begin_savepoint() override { return inner_->begin_savepoint(); }
        core::Result<void> release_savepoint() override { return inner_->release_savepoint(); }
        core::Result<void> rollback_savepoint() override { return inner_->rollback_savepoint(); }
        core::Result<std::vector<core::Deviation>> active() override { return inner_->active(); }
        core::Result<std::int32_t> next_episode(const std::string& rule, const core::Scope& scope,
                                                const std::string& key) override {
            return inner_->next_episode(rule, scope, key);
        }
        core::Result<std::int64_t> insert(const core::Deviation& row) override {
            auto id = inner_->insert(row);
            if (row.rule_id == owner_.rule_id_) return core::fail(owner_.code_, "insert of a deviation of " + row.rule_id);
            return id;
        }
        core::Result<void> update(const core::Deviation& row) override {
            auto done = inner_->update(row);
            if (row.rule_id == owner_.rule_id_) return core::fail(owner_.code_, "update of a deviation of " + row.rule_id);
            return done;
        }
        core::Result<void> keep_state(const core::RuleState& state, core::Instant now) override {
            return inner_->keep_state(state, now);
        }
        core::Result<void> keep_decisions(std::span<const core::Decision> decisions) override {
            return inner_->keep_decisions(decisions);
        }
        core::Result<void> commit() override { return inner_->commit(); }

      private:
        std::unique_ptr<ports::DeviationTransaction> inner_;
        const RefusingDeviations& owner_;
    };
    fakes::DeviationRepository& rows_;
    std::string rule_id_;
    core::Errc code_;
};

}  // namespace varde::scripted
