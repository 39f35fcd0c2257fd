#include "store/deviation_repository.hpp"

#include "store/deviation_transaction.hpp"
#include "store/rule_states.hpp"

#include <fmt/format.h>

namespace varde::store {

core::Result<std::unique_ptr<ports::DeviationTransaction>> SqlDeviationRepository::begin() {
    try {
        return std::make_unique<SqlDeviationTransaction>(database_.impl());
    } catch (SqlFailure& failure) {
        failure.error.context.insert(0, "beginning a run's transaction: ");
        return tl::unexpected{std::move(failure.error)};
    }
}

core::Result<std::vector<core::RuleState>> SqlDeviationRepository::rule_states() {
    return database_.impl().run("reading what rules keep", [](Session& session) { return select_rule_states(session); });
}

core::Result<std::vector<core::Deviation>> SqlDeviationRepository::list(const ports::DeviationQuery& query) {
    if (query.limit < 1 || query.limit > 500) {
        return core::fail(core::Errc::invalid_argument, "deviations: limit must be 1 to 500");
    }
    return database_.impl().run("listing deviations", [&](Session& session) {
        Conditions conditions;
        conditions.admitted_by(query.scope);
        if (query.status) conditions.add("status", "=", std::string{core::name_of(*query.status)});
        if (query.subject_key) conditions.add("subject_key", "=", *query.subject_key);
        if (query.rule_id) conditions.add("rule_id", "=", *query.rule_id);
        const std::string limit = conditions.value(static_cast<long long>(query.limit));
        return select_deviations(session, conditions,
                                 " ORDER BY severity DESC, last_seen_at DESC, deviation_id DESC LIMIT " + limit);
    });
}

core::Result<std::map<std::string, std::int64_t>> SqlDeviationRepository::count_by_rule() {
    return database_.impl().run("counting deviations", [](Session& session) {
        std::string rule_id;
        long long rows = 0;
        soci::statement statement{session.sql};
        statement.exchange(soci::into(rule_id));
        statement.exchange(soci::into(rows));
        Conditions{}.execute(statement, "SELECT rule_id, count(*) FROM deviations GROUP BY rule_id");
        std::map<std::string, std::int64_t> counts;
        while (statement.fetch()) counts.emplace(rule_id, rows);
        return counts;
    });
}

core::Result<std::optional<core::Deviation>> SqlDeviationRepository::find(std::int64_t deviation_id) {
    return database_.impl().run("reading a deviation", [&](Session& session) -> std::optional<core::Deviation> {
        Conditions conditions;
        conditions.add("deviation_id", "=", static_cast<long long>(deviation_id));
        std::vector<core::Deviation> rows = select_deviations(session, conditions, "");
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<void> SqlDeviationRepository::update_if(const core::Deviation& deviation, core::DeviationStatus expected) {
    const auto changed = database_.impl().write("changing a deviation", [&](Session& session) {
        DeviationColumns columns;
        columns.set(deviation);
        const std::string expected_status{core::name_of(expected)};
        soci::statement statement{session.sql};
        columns.bind_values(statement);
        statement.exchange(soci::use(columns.deviation_id, "deviation_id"));
        statement.exchange(soci::use(expected_status, "expected_status"));
        statement.alloc();
        statement.prepare(update_deviation_sql);
        statement.define_and_bind();
        statement.execute(true);
        return statement.get_affected_rows() == 1;
    });
    if (!changed) return tl::unexpected{changed.error()};
    if (!*changed) {
        return core::fail(core::Errc::conflict, fmt::format("deviation {} is not {} any more; read it again",
                                                            deviation.deviation_id, core::name_of(expected)));
    }
    return {};
}

// In the order of the primary key, because nothing lists closed rows by their end: a batch stops when it is full.
core::Result<std::int64_t> SqlDeviationRepository::prune(core::Instant closed_before, std::int64_t limit) {
    return database_.impl().write("deleting old deviations", [&](Session& session) -> std::int64_t {
        const long long before = core::to_us(closed_before);
        const long long most = limit;
        soci::statement statement = (session.sql.prepare << "DELETE FROM deviations WHERE deviation_id IN (SELECT deviation_id"
                                                            " FROM deviations WHERE status = 'CLOSED' AND closed_at < :before"
                                                            " ORDER BY deviation_id LIMIT :most)",
                                     soci::use(before, "before"), soci::use(most, "most"));
        statement.execute(true);
        return statement.get_affected_rows();
    });
}

}  // namespace varde::store
