#include "store/deviation_transaction.hpp"

#include "store/decision_rows.hpp"
#include "store/rule_states.hpp"

#include <fmt/format.h>

namespace varde::store {

using core::DeviationStatus;

void SqlDeviationTransaction::start_writing() {
    if (!transaction_) transaction_.emplace(database_, *session_);
    if (savepoint_wanted_ && !savepoint_open_) {
        session_->exec("SAVEPOINT one_rule");
        savepoint_open_ = true;
    }
}

void SqlDeviationTransaction::end_savepoint(const char* sql) {
    if (savepoint_open_) session_->exec(sql);
    savepoint_open_ = false;
    savepoint_wanted_ = false;
    undo_.clear();
}

void SqlDeviationTransaction::remember(std::int64_t deviation_id, std::optional<DeviationStatus> status) {
    const auto found = known_.find(deviation_id);
    if (savepoint_wanted_) {
        undo_.emplace_back(deviation_id, found == known_.end() ? std::nullopt : std::optional{found->second});
    }
    if (status) {
        known_[deviation_id] = *status;
    } else if (found != known_.end()) {
        known_.erase(found);
    }
}

core::Result<void> SqlDeviationTransaction::begin_savepoint() {
    savepoint_wanted_ = true;
    undo_.clear();
    return {};
}

core::Result<void> SqlDeviationTransaction::release_savepoint() {
    return Database::Impl::translate("ending a savepoint", *session_, [&] { end_savepoint("RELEASE SAVEPOINT one_rule"); });
}

core::Result<void> SqlDeviationTransaction::rollback_savepoint() {
    return Database::Impl::translate("undoing the deviations of one rule", *session_, [&] {
        savepoint_wanted_ = false;  // undoing is not to be undone
        for (; !undo_.empty(); undo_.pop_back()) remember(undo_.back().first, undo_.back().second);
        end_savepoint("ROLLBACK TO SAVEPOINT one_rule; RELEASE SAVEPOINT one_rule");
    });
}

core::Result<std::vector<core::Deviation>> SqlDeviationTransaction::active() {
    return Database::Impl::translate("reading the active deviations", *session_, [&] {
        Conditions conditions;
        // As the partial index has it, so that both planners see that it fits.
        std::vector<core::Deviation> rows =
            select_deviations(*session_, conditions, " WHERE status IN ('OPEN', 'ACK') ORDER BY deviation_id");
        for (const core::Deviation& row : rows) known_[row.deviation_id] = row.status;
        return rows;
    });
}

core::Result<std::int32_t> SqlDeviationTransaction::next_episode(const std::string& rule_id, const core::Scope& scope,
                                                                 const std::string& subject_key) {
    return Database::Impl::translate("counting the episodes of a deviation", *session_, [&] {
        // Not a count: retention may have taken the first ones.
        int next = 1;
        session_->sql << "SELECT coalesce(max(episode), 0) + 1 FROM deviations WHERE rule_id = :rule AND org_id = :org"
                         " AND home_id = :home AND subject_id = :subject AND subject_key = :key",
            soci::use(rule_id, "rule"), soci::use(scope.org_id, "org"), soci::use(scope.home_id, "home"),
            soci::use(scope.subject_id, "subject"), soci::use(subject_key, "key"), soci::into(next);
        return std::int32_t{next};
    });
}

core::Result<std::int64_t> SqlDeviationTransaction::insert(const core::Deviation& deviation) {
    auto inserted = Database::Impl::translate("storing a deviation", *session_, [&] {
        start_writing();
        columns_.set(deviation);
        if (!insert_) {
            insert_ = std::make_unique<soci::statement>(session_->sql);
            columns_.bind_values(*insert_);
            insert_->exchange(soci::into(inserted_id_));
            insert_->alloc();
            insert_->prepare(insert_deviation_sql);
            insert_->define_and_bind();
        }
        bool stored = insert_->execute(true);
        const long long id = inserted_id_;
        // To its end: SQLite cannot commit over a statement that still has a row.
        for (bool more = stored; more;) more = insert_->fetch();
        return stored ? id : 0;
    });
    if (!inserted) return tl::unexpected{inserted.error()};
    if (*inserted == 0) {
        return core::fail(core::Errc::conflict,
                          fmt::format("storing a deviation: {} has an active one of this key", deviation.rule_id));
    }
    remember(*inserted, deviation.status);
    return *inserted;
}

std::optional<DeviationStatus> SqlDeviationTransaction::status_of(std::int64_t deviation_id) {
    if (const auto found = known_.find(deviation_id); found != known_.end()) return found->second;
    const long long id = deviation_id;
    std::string status;
    session_->sql << "SELECT status FROM deviations WHERE deviation_id = :id", soci::use(id, "id"), soci::into(status);
    return session_->sql.got_data() ? core::deviation_status_from(status) : std::nullopt;
}

core::Result<void> SqlDeviationTransaction::update(const core::Deviation& deviation) {
    enum class Done { stored, missing, changed };
    const auto done = Database::Impl::translate("changing a deviation", *session_, [&] {
        start_writing();
        const auto expected = status_of(deviation.deviation_id);
        if (!expected) return Done::missing;
        columns_.set(deviation);
        expected_status_ = core::name_of(*expected);
        if (!update_) {
            update_ = std::make_unique<soci::statement>(session_->sql);
            columns_.bind_values(*update_);
            update_->exchange(soci::use(columns_.deviation_id, "deviation_id"));
            update_->exchange(soci::use(expected_status_, "expected_status"));
            update_->alloc();
            update_->prepare(update_deviation_sql);
            update_->define_and_bind();
        }
        update_->execute(true);
        return update_->get_affected_rows() == 1 ? Done::stored : Done::changed;
    });
    if (!done) return tl::unexpected{done.error()};
    if (*done == Done::missing) {
        return core::fail(core::Errc::not_found, fmt::format("there is no deviation {}", deviation.deviation_id));
    }
    if (*done == Done::changed) {
        return core::fail(core::Errc::conflict,
                          fmt::format("deviation {} was changed by somebody else meanwhile", deviation.deviation_id));
    }
    remember(deviation.deviation_id, deviation.status);
    return {};
}

core::Result<void> SqlDeviationTransaction::keep_state(const core::RuleState& state, core::Instant now) {
    return Database::Impl::translate("keeping the state of a rule", *session_, [&] {
        start_writing();
        write_rule_state(*session_, state, now);
    });
}

core::Result<void> SqlDeviationTransaction::keep_decisions(std::span<const core::Decision> decisions) {
    if (decisions.empty()) return {};
    return Database::Impl::translate("storing what a run decided", *session_, [&] {
        start_writing();
        write_decisions(*session_, decisions);
    });
}

core::Result<void> SqlDeviationTransaction::commit() {
    return Database::Impl::translate("storing the deviations of a run", *session_, [&] {
        if (transaction_) transaction_->commit();
        transaction_.reset();  // lets the next writer in
    });
}

}  // namespace varde::store
