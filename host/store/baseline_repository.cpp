#include "store/baseline_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"

#include <array>

namespace varde::store {
namespace {

/// A number that may be NULL, as SOCI binds it.
struct Count {
    long long value = 0;
    soci::indicator has = soci::i_null;

    void set(const std::optional<std::int64_t>& from) {
        value = from.value_or(0);
        has = from ? soci::i_ok : soci::i_null;
    }
    [[nodiscard]] std::optional<std::int64_t> get() const {
        return has == soci::i_null ? std::nullopt : std::optional<std::int64_t>{value};
    }
};

std::vector<core::BaselineStatus> select_statuses(Session& session, const Conditions& conditions) {
    long long computed_at = 0, model_start = 0, model_end = 0, days = 0;
    int ready = 0;
    std::array<Count, 4> counts;
    core::BaselineStatus row;
    soci::statement statement{session.sql};
    for (std::string* column : {&row.scope.org_id, &row.scope.home_id, &row.scope.subject_id}) {
        statement.exchange(soci::into(*column));
    }
    for (long long* column : {&computed_at, &model_start, &model_end}) statement.exchange(soci::into(*column));
    statement.exchange(soci::into(ready));
    statement.exchange(soci::into(days));
    for (Count& count : counts) statement.exchange(soci::into(count.value, count.has));
    statement.exchange(soci::into(row.definition));
    conditions.execute(statement,
                       "SELECT org_id, home_id, subject_id, computed_at, model_start, model_end, baseline_ready, days_with_data,"
                       " room_bucket_rows, room_bucket_supported, transition_rows, transition_supported, definition"
                       " FROM baseline_model_status" +
                           conditions.where() + " ORDER BY org_id, home_id, subject_id");
    std::vector<core::BaselineStatus> found;
    while (statement.fetch()) {
        row.computed_at = core::instant_from_us(computed_at);
        row.model = {core::instant_from_us(model_start), core::instant_from_us(model_end)};
        row.ready = ready != 0;
        row.days_with_data = days;
        row.room_bucket_rows = counts[0].get();
        row.room_bucket_supported = counts[1].get();
        row.transition_rows = counts[2].get();
        row.transition_supported = counts[3].get();
        found.push_back(row);
    }
    return found;
}

}  // namespace

core::Result<std::vector<core::BaselineStatus>> SqlBaselineRepository::list(const core::ScopeFilter& visible) {
    return database_.impl().run("listing baselines", [&](Session& session) {
        Conditions conditions;
        conditions.admitted_by(visible);
        return select_statuses(session, conditions);
    });
}

core::Result<std::optional<core::BaselineStatus>> SqlBaselineRepository::find(const core::Scope& scope) {
    return database_.impl().run("reading a baseline", [&](Session& session) -> std::optional<core::BaselineStatus> {
        Conditions conditions;
        conditions.equals(scope);
        std::vector<core::BaselineStatus> rows = select_statuses(session, conditions);
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<void> SqlBaselineRepository::save(const core::BaselineStatus& status) {
    return database_.impl().write("storing a baseline", [&](Session& session) {
        const long long computed_at = core::to_us(status.computed_at);
        const long long model_start = core::to_us(status.model.since), model_end = core::to_us(status.model.until);
        const int ready = status.ready ? 1 : 0;
        const long long days = status.days_with_data;
        std::array<Count, 4> counts;
        counts[0].set(status.room_bucket_rows);
        counts[1].set(status.room_bucket_supported);
        counts[2].set(status.transition_rows);
        counts[3].set(status.transition_supported);
        session.sql
            << "INSERT INTO baseline_model_status (org_id, home_id, subject_id, computed_at, model_start, model_end,"
               " baseline_ready, days_with_data, room_bucket_rows, room_bucket_supported, transition_rows, transition_supported,"
               " definition)"
               " VALUES (:org, :home, :subject, :computed_at, :model_start, :model_end, :ready, :days, :room_rows,"
               " :room_supported, :way_rows, :way_supported, :definition)"
               " ON CONFLICT (org_id, home_id, subject_id) DO UPDATE SET computed_at = excluded.computed_at,"
               " model_start = excluded.model_start, model_end = excluded.model_end, baseline_ready = excluded.baseline_ready,"
               " days_with_data = excluded.days_with_data, room_bucket_rows = excluded.room_bucket_rows,"
               " room_bucket_supported = excluded.room_bucket_supported, transition_rows = excluded.transition_rows,"
               " transition_supported = excluded.transition_supported, definition = excluded.definition",
            soci::use(status.scope.org_id, "org"), soci::use(status.scope.home_id, "home"),
            soci::use(status.scope.subject_id, "subject"), soci::use(computed_at, "computed_at"),
            soci::use(model_start, "model_start"), soci::use(model_end, "model_end"), soci::use(ready, "ready"),
            soci::use(days, "days"), soci::use(counts[0].value, counts[0].has, "room_rows"),
            soci::use(counts[1].value, counts[1].has, "room_supported"), soci::use(counts[2].value, counts[2].has, "way_rows"),
            soci::use(counts[3].value, counts[3].has, "way_supported"), soci::use(status.definition, "definition");
    });
}

}  // namespace varde::store
