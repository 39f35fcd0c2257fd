#include "store/run_rows.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace varde::store {
namespace {

constexpr std::string_view inserted_names = run_columns.names.substr(run_columns.names.find(", ") + 2);
constexpr std::string_view inserted_types = run_columns.types.substr(1);

SqlTexts insert_texts() {
    static const std::string start = "INSERT INTO runs (" + std::string{inserted_names} + ") ";
    static const std::string end = " ON CONFLICT DO NOTHING RETURNING run_id, schedule_id, generation, nominal_at, kind";
    static const std::string postgres = start + "SELECT * FROM " + unnest_of(inserted_types) + end;
    static const std::string sqlite = start + "VALUES (" + places_of(inserted_types) + ")" + end;
    return {postgres.c_str(), sqlite.c_str()};
}

std::vector<SqlValue> values_of(const core::Run& run) {
    const auto flag = [](bool value) { return std::int64_t{value ? 1 : 0}; };
    return {run.schedule_id,
            run.generation,
            run.org_id,
            run.job_kind,
            sql_value(run.nominal_at),
            std::string{core::name_of(run.kind)},
            std::string{core::name_of(run.state)},
            std::string{core::name_of(run.reason)},
            run.detail,
            sql_value(run.nominal_from),
            run.slots,
            flag(run.more_slots),
            std::int64_t{run.attempt},
            std::int64_t{run.priority},
            run.queue,
            sql_value(run.run_at),
            sql_value(run.start_by),
            run.owner,
            run.epoch,
            sql_value(run.lease_until),
            flag(run.cancel_requested),
            run.input,
            run.idempotency_key,
            run.requested_by,
            sql_value(run.created_at),
            sql_value(run.started_at),
            sql_value(run.finished_at),
            run.error,
            run.result};
}

}  // namespace

core::Run read_run(const SqlRow& row, int first) {
    core::Run to;
    int at = first;
    to.run_id = row.number(at++);
    to.schedule_id = row.string(at++);
    to.generation = row.number(at++);
    to.org_id = row.string(at++);
    to.job_kind = row.string(at++);
    to.nominal_at = row.instant(at++);
    // The table checks the names.
    to.kind = core::slot_kind_from(row.text(at++)).value_or(core::SlotKind::scheduled);
    to.state = core::run_state_from(row.text(at++)).value_or(core::RunState::failed);
    to.reason = core::slot_reason_from(row.text(at++)).value_or(core::SlotReason::none);
    to.detail = row.string(at++);
    to.nominal_from = row.maybe_instant(at++);
    to.slots = row.number(at++);
    to.more_slots = row.number(at++) != 0;
    to.attempt = static_cast<int>(row.number(at++));
    to.priority = static_cast<int>(row.number(at++));
    to.queue = row.string(at++);
    to.run_at = row.instant(at++);
    to.start_by = row.maybe_instant(at++);
    to.owner = row.string(at++);
    to.epoch = row.number(at++);
    to.lease_until = row.maybe_instant(at++);
    to.cancel_requested = row.number(at++) != 0;
    for (std::string* text : {&to.input, &to.idempotency_key, &to.requested_by}) *text = row.string(at++);
    to.created_at = row.instant(at++);
    to.started_at = row.maybe_instant(at++);
    to.finished_at = row.maybe_instant(at++);
    to.error = row.string(at++);
    to.result = row.string(at);
    return to;
}

std::vector<core::Run> select_runs(Session& session, const Conditions& conditions, const std::string& tail) {
    soci::statement statement{session.sql};
    const SociRow row{statement, run_columns.types};
    conditions.execute(statement, "SELECT " + run_columns.of("r") + " FROM runs AS r" + conditions.where() + tail);
    std::vector<core::Run> found;
    while (statement.fetch()) found.push_back(read_run(row));
    return found;
}

std::vector<core::Run> find_runs(Session& session, const std::vector<std::int64_t>& run_ids) {
    static const std::string start = "SELECT " + run_columns.of("r") + " FROM runs AS r WHERE r.run_id = ";
    static const std::string postgres = start + "ANY ($1::bigint[])";
    static const std::string sqlite = start + "?1";
    RowBatch batch{"n"};
    for (const std::int64_t id : run_ids) batch.add({id});
    std::vector<core::Run> found;
    batch.execute(session, {postgres.c_str(), sqlite.c_str()}, {}, [&](const SqlRow& row) { found.push_back(read_run(row)); });
    std::ranges::sort(found, {}, &core::Run::run_id);
    return found;
}

std::vector<core::Run> insert_runs(Session& session, std::vector<core::Run> runs) {
    RowBatch batch{inserted_types};
    for (core::Run& run : runs) {
        if (core::is_terminal(run.state) && !run.finished_at) run.finished_at = run.created_at;
        batch.add(values_of(run));
    }
    std::vector<core::Run> inserted;
    auto next = runs.begin();
    batch.execute(session, insert_texts(), {}, [&](const SqlRow& row) {
        // They come in the order of insertion; those that were there already are left out.
        const auto is_this = [&](const core::Run& run) {
            return std::tuple{std::string_view{run.schedule_id}, run.generation, run.nominal_at, core::name_of(run.kind)} ==
                   std::tuple{row.text(1), row.number(2), row.instant(3), row.text(4)};
        };
        while (next != runs.end() && !is_this(*next)) ++next;
        if (next == runs.end()) return;
        next->run_id = row.number(0);
        inserted.push_back(std::move(*next++));
    });
    return inserted;
}

std::vector<LiveRuns> count_live(Session& session, const std::vector<std::string>& schedule_ids) {
    static constexpr SqlTexts counts{
        "SELECT schedule_id, count(*), count(*) FILTER (WHERE state <> 'running'),"
        " count(*) FILTER (WHERE state = 'waiting') FROM runs"
        " WHERE schedule_id = ANY ($1::text[]) AND state IN ('waiting', 'pending', 'running') GROUP BY schedule_id",
        "SELECT schedule_id, count(*), count(*) FILTER (WHERE state <> 'running'),"
        " count(*) FILTER (WHERE state = 'waiting') FROM runs"
        " WHERE schedule_id = ?1 AND state IN ('waiting', 'pending', 'running') GROUP BY schedule_id"};
    RowBatch batch{"t"};
    for (const std::string& id : schedule_ids) batch.add({id});
    std::unordered_map<std::string, LiveRuns> found;
    batch.execute(session, counts, {}, [&](const SqlRow& row) {
        found[row.string(0)] = {static_cast<int>(row.number(1)), static_cast<int>(row.number(2)),
                                static_cast<int>(row.number(3))};
    });
    std::vector<LiveRuns> in_order;
    for (const std::string& id : schedule_ids) in_order.push_back(found[id]);
    return in_order;
}

}  // namespace varde::store
