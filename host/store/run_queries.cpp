#include "store/run_queries.hpp"

#include "store/row_batch.hpp"
#include "store/run_rows.hpp"

#include <algorithm>

namespace varde::store {
namespace {

/// The row of the statement, if it gives one.
std::optional<core::Run> one_run(Session& session, const SqlTexts& texts, const std::vector<SqlValue>& values) {
    std::optional<core::Run> found;
    ask(session, texts, values, [&](const SqlRow& row) { found = read_run(row); });
    return found;
}

/// Runs of a schedule around an instant. Slots begin at nominal_from, if there is one.
class AroundTexts {
  public:
    AroundTexts(const std::string& where, const std::string& order)
        : sqlite_{"SELECT " + std::string{run_columns.names} + " FROM runs WHERE schedule_id = ?1 AND " + where + " ORDER BY " +
                  order + " LIMIT 1"},
          postgres_{sqlite_} {
        std::ranges::replace(postgres_, '?', '$');
    }
    [[nodiscard]] SqlTexts texts() const { return {postgres_.c_str(), sqlite_.c_str()}; }

  private:
    std::string sqlite_, postgres_;
};

core::Instant begin_of(const core::Run& run) { return run.nominal_from.value_or(run.nominal_at); }

double seconds(double us) { return us / 1e6; }

/// Of durations in order, the one at the place `percent` of `count` (nearest rank).
std::optional<double> ranked_duration(Session& session, Conditions conditions, std::int64_t count, std::int64_t percent) {
    if (count == 0) return std::nullopt;
    const std::int64_t rank = (percent * count + 99) / 100;
    const std::string offset = conditions.value(static_cast<long long>(rank - 1));
    long long duration = 0;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(duration));
    conditions.execute(statement, "SELECT r.finished_at - r.started_at FROM runs AS r" + conditions.where() +
                                      " ORDER BY 1 LIMIT 1 OFFSET " + offset);
    if (!statement.fetch()) return std::nullopt;
    return seconds(static_cast<double>(duration));
}

void add_durations(Session& session, Conditions conditions, ports::RunStatistics& statistics) {
    conditions.add("(CASE WHEN r.started_at IS NOT NULL AND r.finished_at IS NOT NULL THEN 1 ELSE 0 END)", "=", 1LL);
    soci::statement statement{session.sql};
    const SociRow row{statement, "nnnn"};
    conditions.execute(statement,
                       "SELECT count(*), CAST(sum(r.finished_at - r.started_at) AS BIGINT), min(r.finished_at - r.started_at),"
                       " max(r.finished_at - r.started_at) FROM runs AS r" +
                           conditions.where());
    if (!statement.fetch() || row.number(0) == 0) return;
    const std::int64_t count = row.number(0);
    statistics.average_s = seconds(static_cast<double>(row.number(1)) / static_cast<double>(count));
    statistics.minimum_s = seconds(static_cast<double>(row.number(2)));
    statistics.maximum_s = seconds(static_cast<double>(row.number(3)));
    statistics.median_s = ranked_duration(session, conditions, count, 50);
    statistics.p95_s = ranked_duration(session, conditions, count, 95);
}

void add_rates(ports::RunStatistics& statistics) {
    const auto of = [&](core::RunState state) {
        const auto found = statistics.by_state.find(state);
        return found == statistics.by_state.end() ? std::int64_t{0} : found->second;
    };
    const auto success = static_cast<double>(of(core::RunState::success));
    const std::int64_t finished =
        of(core::RunState::success) + of(core::RunState::failed) + of(core::RunState::timed_out) + of(core::RunState::abandoned);
    if (statistics.total > 0) statistics.success_rate = success / static_cast<double>(statistics.total) * 100;
    if (finished > 0) statistics.success_rate_finished = success / static_cast<double>(finished) * 100;
}

}  // namespace

Conditions conditions_of(const ports::RunQuery& query) {
    Conditions conditions;
    if (!query.org_id.empty()) conditions.add("r.org_id", "=", query.org_id);
    if (query.schedule_id) conditions.add("r.schedule_id", "=", *query.schedule_id);
    if (query.job_kind) conditions.add("r.job_kind", "=", *query.job_kind);
    std::vector<std::string> states;
    for (const core::RunState state : query.states) states.emplace_back(core::name_of(state));
    conditions.any_of("r.state", states);
    if (query.reason) conditions.add("r.reason", "=", std::string{core::name_of(*query.reason)});
    if (query.kind) conditions.add("r.kind", "=", std::string{core::name_of(*query.kind)});
    return conditions;
}

ports::RunRepository::Around runs_around(Session& session, const std::string& schedule_id, core::Instant at) {
    // In the order of nominal_at, for which there is an index: slots of one schedule hardly ever reach over each other.
    static const AroundTexts before{"nominal_at <= ?2", "nominal_at DESC, run_id DESC"};
    static const AroundTexts spanning{"nominal_at > ?2 AND nominal_from IS NOT NULL AND nominal_from <= ?2",
                                      "nominal_at, run_id"};
    static const AroundTexts after{"nominal_at > ?2 AND coalesce(nominal_from, nominal_at) > ?2", "nominal_at, run_id"};
    const std::vector<SqlValue> values{schedule_id, sql_value(at)};
    ports::RunRepository::Around around{one_run(session, before.texts(), values), one_run(session, after.texts(), values)};
    auto over = one_run(session, spanning.texts(), values);
    if (over && (!around.at_or_before || begin_of(*over) >= begin_of(*around.at_or_before)))
        around.at_or_before = std::move(over);
    return around;
}

ports::RunStatistics run_statistics(Session& session, const ports::RunQuery& query) {
    Conditions conditions = conditions_of(query);
    if (query.since) conditions.add("r.created_at", ">=", *query.since);
    if (query.until) conditions.add("r.created_at", "<", *query.until);
    ports::RunStatistics statistics;
    {
        soci::statement statement{session.sql};
        const SociRow row{statement, "tnn"};
        conditions.execute(statement, "SELECT r.state, count(*), CAST(sum(r.slots) AS BIGINT) FROM runs AS r" +
                                          conditions.where() + " GROUP BY r.state");
        while (statement.fetch()) {
            const auto state = core::run_state_from(row.text(0)).value_or(core::RunState::failed);  // the table checks it
            statistics.by_state[state] = row.number(1);
            statistics.total += row.number(1);
            if (state == core::RunState::skipped) statistics.skipped_slots = row.number(2);
        }
    }
    add_rates(statistics);
    add_durations(session, std::move(conditions), statistics);
    return statistics;
}

}  // namespace varde::store
