#include "store/run_ends.hpp"

#include "store/row_batch.hpp"

#include <algorithm>
#include <map>

namespace varde::store {
namespace {

constexpr std::string_view end_types = "nntttttnnn";
constexpr std::string_view end_names =
    "of_run, of_attempt, new_state, new_reason, new_detail, new_error, new_result, new_started, new_finished, new_run_at";

SqlTexts end_texts() {
    static const std::string set =
        "UPDATE runs SET"
        " state = CASE WHEN new_state = 'pending' AND cancel_requested = 1 THEN 'cancelled' ELSE new_state END,"
        " reason = CASE WHEN new_state = 'pending' AND cancel_requested = 1 THEN 'cancelled' ELSE new_reason END,"
        " detail = CASE WHEN cancel_requested = 1 AND new_detail = '' THEN detail ELSE new_detail END,"
        " finished_at = CASE WHEN new_state = 'pending' AND cancel_requested = 0 THEN NULL ELSE new_finished END,"
        " run_at = CASE WHEN new_state = 'pending' AND cancel_requested = 0 THEN new_run_at ELSE run_at END,"
        // The first attempt was in time; start_by says nothing about the next one.
        " start_by = CASE WHEN new_state = 'pending' AND cancel_requested = 0 THEN NULL ELSE start_by END,"
        " owner = CASE WHEN new_state = 'pending' AND cancel_requested = 0 THEN '' ELSE owner END,"
        " epoch = CASE WHEN new_state = 'pending' AND cancel_requested = 0 THEN 0 ELSE epoch END,"
        " lease_until = NULL, started_at = coalesce(new_started, started_at), error = new_error, result = new_result ";
    // coalesce: or PostgreSQL could take the index of the running rows, and read all of them for each.
    static const std::string where = " WHERE run_id = of_run AND attempt = of_attempt AND coalesce(state, '') = 'running'";
    static const std::string returning = " RETURNING run_id, schedule_id, state, finished_at";
    static const std::string postgres = set + "FROM " + unnest_of(end_types) + " AS f (" + std::string{end_names} + ")" + where +
                                        " AND (CAST($12 AS BIGINT) < 0 OR (owner = $11 AND epoch = CAST($12 AS BIGINT)))" +
                                        returning;
    static const std::string sqlite =
        set +
        "FROM (SELECT ?1 AS of_run, ?2 AS of_attempt, ?3 AS new_state, ?4 AS new_reason, ?5 AS new_detail, ?6 AS new_error,"
        " ?7 AS new_result, ?8 AS new_started, ?9 AS new_finished, ?10 AS new_run_at) AS f" +
        where + " AND run_id = ?1 AND (?12 < 0 OR (owner = ?11 AND epoch = ?12))" + returning;
    return {postgres.c_str(), sqlite.c_str()};
}

constexpr SqlTexts next_after_completion{
    "UPDATE schedules SET next_at = f.finished + completion_delay FROM unnest($1::text[], $2::bigint[]) AS f (id, finished)"
    " WHERE schedule_id = f.id AND state = 'active' AND next_at IS NULL AND completion_delay IS NOT NULL",
    "UPDATE schedules SET next_at = ?2 + completion_delay"
    " WHERE schedule_id = ?1 AND state = 'active' AND next_at IS NULL AND completion_delay IS NOT NULL"};

// Also those that are due already: waiting for a host that is just deciding about one, which may leave it without a next slot.
constexpr SqlTexts next_after_success{
    "UPDATE schedules SET next_at = coalesce(next_at, f.finished) FROM"
    " (SELECT e.schedule_id AS id, min(d.finished) AS finished FROM unnest($1::text[], $2::bigint[]) AS d (id, finished)"
    "  JOIN schedule_edges AS e ON e.depends_on = d.id GROUP BY e.schedule_id) AS f"
    " WHERE schedule_id = f.id AND trigger_kind = 'after' AND state = 'active'",
    "UPDATE schedules SET next_at = coalesce(next_at, ?2) WHERE trigger_kind = 'after' AND state = 'active'"
    " AND schedule_id IN (SELECT schedule_id FROM schedule_edges WHERE depends_on = ?1)"};

constexpr SqlTexts cancel_queued_texts{
    "UPDATE runs SET state = 'cancelled', reason = $2, finished_at = $3 WHERE schedule_id = ANY ($1::text[])"
    " AND state IN ('waiting', 'pending')",
    "UPDATE runs SET state = 'cancelled', reason = ?2, finished_at = ?3 WHERE schedule_id = ?1"
    " AND state IN ('waiting', 'pending')"};
constexpr SqlTexts stop_running_texts{
    "UPDATE runs SET cancel_requested = 1 WHERE schedule_id = ANY ($1::text[]) AND state = 'running' AND cancel_requested = 0",
    "UPDATE runs SET cancel_requested = 1 WHERE schedule_id = ?1 AND state = 'running' AND cancel_requested = 0"};

RowBatch batch_of(const std::map<std::string, core::Instant>& finished) {
    RowBatch batch{"tn"};
    for (const auto& [schedule_id, at] : finished) batch.add({schedule_id, sql_value(at)});
    return batch;
}

RowBatch batch_of(const std::vector<std::string>& ids) {
    RowBatch batch{"t"};
    for (const std::string& id : ids) batch.add({id});
    return batch;
}

}  // namespace

void arm_followers(Session& session, std::span<const EndedRun> ended) {
    std::map<std::string, core::Instant> last, succeeded;  // in order: two hosts lock in the same one
    for (const EndedRun& run : ended) {
        const auto place = last.emplace(run.schedule_id, run.finished_at).first;
        place->second = std::max(place->second, run.finished_at);
        if (run.state == core::RunState::success) succeeded.emplace(run.schedule_id, run.finished_at);
    }
    batch_of(last).execute(session, next_after_completion);
    batch_of(succeeded).execute(session, next_after_success);
}

std::vector<std::int64_t> store_ends(Session& session, const RunHolder& holder, std::span<const ports::FinishedRun> ends) {
    RowBatch batch{end_types};
    for (const ports::FinishedRun& end : ends) {
        batch.add({end.run_id, std::int64_t{end.attempt}, std::string{core::name_of(end.state)},
                   std::string{core::name_of(end.reason)}, end.detail, end.error, end.result, sql_value(end.started_at),
                   sql_value(end.finished_at), sql_value(end.run_at)});
    }
    std::vector<std::int64_t> stored;
    std::vector<EndedRun> ended;
    batch.execute(session, end_texts(), {holder.owner, holder.epoch}, [&](const SqlRow& row) {
        stored.push_back(row.number(0));
        const auto state = core::run_state_from(row.text(2)).value_or(core::RunState::pending);  // the table checks it
        if (core::is_terminal(state)) ended.push_back({row.string(1), state, row.instant(3)});
    });
    arm_followers(session, ended);
    return stored;
}

void cancel_queued(Session& session, const std::vector<std::string>& schedule_ids, core::SlotReason reason, core::Instant now) {
    batch_of(schedule_ids).execute(session, cancel_queued_texts, {std::string{core::name_of(reason)}, sql_value(now)});
}

void stop_running(Session& session, const std::vector<std::string>& schedule_ids) {
    batch_of(schedule_ids).execute(session, stop_running_texts);
}

}  // namespace varde::store
