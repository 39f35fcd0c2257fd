#include "store/run_claims.hpp"

#include "store/due_schedules.hpp"
#include "store/row_batch.hpp"
#include "store/run_ends.hpp"
#include "store/run_rows.hpp"
#include "store/schedule_rows.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

namespace varde::store {
namespace {

const char* claim_postgres() {
    static const std::string sql =
        "UPDATE runs AS r SET state = 'running', owner = $1, epoch = $2, lease_until = $3, started_at = $4,"
        " attempt = r.attempt + 1 FROM schedules AS s WHERE s.schedule_id = r.schedule_id"
        // coalesce: or it could take the index of the pending rows, and read all of them.
        " AND coalesce(r.state, '') = 'pending' AND r.run_id = ANY (ARRAY ("
        "SELECT p.run_id FROM runs AS p WHERE p.state = 'pending' AND p.run_at <= $4"
        " AND (p.start_by IS NULL OR p.start_by >= $4)"
        " AND p.queue <> ALL (ARRAY (SELECT jsonb_array_elements_text(CAST(CAST($6 AS TEXT) AS jsonb))))"
        " AND (CAST($7 AS TEXT) = '[]' OR p.queue ="
        " ANY (ARRAY (SELECT jsonb_array_elements_text(CAST(CAST($7 AS TEXT) AS jsonb)))))"
        // OFFSET 0 keeps it from becoming a join that reads the whole table.
        " AND EXISTS (SELECT 1 FROM schedules AS o WHERE o.schedule_id = p.schedule_id OFFSET 0)"
        " ORDER BY p.priority DESC, p.run_at, p.run_id LIMIT $5 FOR UPDATE SKIP LOCKED)) RETURNING " +
        run_columns.of("r") + ", " + schedule_columns.of("s");
    return sql.c_str();
}

const char* claimable_sqlite() {
    static const std::string sql =
        "SELECT " + run_columns.of("r") + ", " + schedule_columns.of("s") +
        " FROM runs AS r CROSS JOIN schedules AS s WHERE s.schedule_id = r.schedule_id AND r.state = 'pending' AND r.run_at <= ?1"
        " AND (r.start_by IS NULL OR r.start_by >= ?1) AND r.queue NOT IN (SELECT value FROM json_each(?3))"
        " AND (?4 = '[]' OR r.queue IN (SELECT value FROM json_each(?4)))"
        " ORDER BY r.priority DESC, r.run_at, r.run_id LIMIT ?2";
    return sql.c_str();
}

constexpr const char* take_sqlite =
    "UPDATE runs SET state = 'running', owner = ?2, epoch = ?3, lease_until = ?4, started_at = ?5, attempt = attempt + 1"
    " WHERE run_id = ?1";

/// A schedule that is gone or was broken by hand keeps its id only.
ports::ClaimedRun read_claimed(const SqlRow& row) {
    ports::ClaimedRun claimed{read_run(row), {}};
    auto schedule =
        row.null(run_columns.count()) ? core::Result<core::Schedule>{core::Schedule{}} : read_schedule(row, run_columns.count());
    if (schedule) claimed.schedule = std::move(*schedule);
    claimed.schedule.schedule_id = claimed.run.schedule_id;
    return claimed;
}

std::vector<ports::ClaimedRun> claim_on_postgres(Session& session, const ports::ClaimRequest& request) {
    prefer_indexes(session);
    std::vector<ports::ClaimedRun> claimed;
    ask(session, {claim_postgres(), nullptr},
        {request.owner, request.epoch, sql_value(request.now + request.lease), sql_value(request.now),
         std::int64_t{request.limit}, nlohmann::json(request.not_queues).dump(), nlohmann::json(request.only_queues).dump()},
        [&](const SqlRow& row) { claimed.push_back(read_claimed(row)); });
    std::ranges::sort(claimed, {}, [](const ports::ClaimedRun& one) {
        return std::tuple{-one.run.priority, one.run.run_at, one.run.run_id};
    });
    return claimed;
}

std::vector<ports::ClaimedRun> claim_on_sqlite(Session& session, const ports::ClaimRequest& request) {
    std::vector<ports::ClaimedRun> claimed;
    ask(session, {nullptr, claimable_sqlite()},
        {sql_value(request.now), std::int64_t{request.limit}, nlohmann::json(request.not_queues).dump(),
         nlohmann::json(request.only_queues).dump()},
        [&](const SqlRow& row) { claimed.push_back(read_claimed(row)); });
    RowBatch batch{"n"};
    for (auto& [run, schedule] : claimed) {
        run.state = core::RunState::running;
        run.owner = request.owner;
        run.epoch = request.epoch;
        run.lease_until = request.now + request.lease;
        run.started_at = request.now;
        ++run.attempt;
        batch.add({run.run_id});
    }
    batch.execute(session, {nullptr, take_sqlite},
                  {request.owner, request.epoch, sql_value(request.now + request.lease), sql_value(request.now)});
    return claimed;
}

SqlTexts give_back_texts() {
    static const std::string set =
        "UPDATE runs SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE 'pending' END,"
        " reason = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE reason END,"
        " finished_at = CASE WHEN cancel_requested = 1 THEN coalesce(started_at, run_at) ELSE NULL END,"
        " owner = '', epoch = 0, lease_until = NULL, started_at = NULL, attempt = attempt - 1"
        " WHERE coalesce(state, '') = 'running' AND ";
    static const std::string returning = " RETURNING schedule_id, state, finished_at";
    static const std::string postgres = set + "run_id = ANY ($1::bigint[]) AND owner = $2 AND epoch = $3" + returning;
    static const std::string sqlite = set + "run_id = ?1 AND owner = ?2 AND epoch = ?3" + returning;
    return {postgres.c_str(), sqlite.c_str()};
}

constexpr SqlTexts beat{"UPDATE job_hosts SET beat_at = $3 WHERE host_id = $1 AND epoch = $2 RETURNING 1",
                        "UPDATE job_hosts SET beat_at = ?3 WHERE host_id = ?1 AND epoch = ?2 RETURNING 1"};
// Rows that are locked are just ending: waiting for them could be a deadlock, and they need no lease.
constexpr SqlTexts prolong{
    "UPDATE runs SET lease_until = $3 WHERE run_id = ANY (ARRAY (SELECT run_id FROM runs WHERE state = 'running'"
    " AND owner = $1 AND epoch = $2 FOR UPDATE SKIP LOCKED)) RETURNING run_id, cancel_requested",
    "UPDATE runs SET lease_until = ?3 WHERE state = 'running' AND owner = ?1 AND epoch = ?2"
    " RETURNING run_id, cancel_requested"};

SqlTexts lost_texts() {
    static const std::string start = "SELECT " + run_columns.of("r") + ", " + schedule_columns.of("s") +
                                     " FROM runs AS r LEFT JOIN schedules AS s ON s.schedule_id = r.schedule_id"
                                     " WHERE r.state = 'running' AND ";
    static const std::string postgres = start +
                                        "(CAST($3 AS BIGINT) = 1 OR r.lease_until < $1) ORDER BY r.lease_until, r.run_id"
                                        " LIMIT $2 FOR UPDATE OF r SKIP LOCKED";
    static const std::string sqlite = start + "(?3 = 1 OR r.lease_until < ?1) ORDER BY r.lease_until, r.run_id LIMIT ?2";
    return {postgres.c_str(), sqlite.c_str()};
}

SqlTexts expire_texts() {
    static const std::string set = "UPDATE runs SET state = 'skipped', finished_at = ";
    static const std::string reason =
        ", reason = CASE state WHEN 'waiting' THEN 'dependency_not_met' ELSE 'misfire' END WHERE coalesce(state, '') IN"
        " ('waiting', 'pending') AND run_id ";
    static const std::string late =
        "SELECT run_id FROM runs WHERE state IN ('waiting', 'pending') AND start_by IS NOT NULL AND start_by < ";
    static const std::string returning = " RETURNING " + std::string{run_columns.names};
    static const std::string postgres =
        set + "$1" + reason + "= ANY (ARRAY (" + late + "$1 ORDER BY start_by LIMIT $2 FOR UPDATE SKIP LOCKED))" + returning;
    static const std::string sqlite = set + "?1" + reason + "IN (" + late + "?1 ORDER BY start_by LIMIT ?2)" + returning;
    return {postgres.c_str(), sqlite.c_str()};
}

}  // namespace

std::vector<ports::ClaimedRun> claim_runs(Session& session, const ports::ClaimRequest& request) {
    if (request.limit < 1) return {};
    return session.engine() == Engine::postgresql ? claim_on_postgres(session, request) : claim_on_sqlite(session, request);
}

void give_back_runs(Session& session, const std::string& owner, std::int64_t epoch, std::span<const std::int64_t> run_ids) {
    RowBatch batch{"n"};
    for (const std::int64_t id : run_ids) batch.add({id});
    std::vector<EndedRun> ended;
    batch.execute(session, give_back_texts(), {owner, epoch}, [&](const SqlRow& row) {
        if (!row.null(2)) ended.push_back({row.string(0), core::RunState::cancelled, row.instant(2)});
    });
    arm_followers(session, ended);
}

ports::Renewal renew_leases(Session& session, const std::string& owner, std::int64_t epoch, core::Instant now,
                            core::Microseconds lease) {
    ports::Renewal renewal{false, {}};
    ask(session, beat, {owner, epoch, sql_value(now)}, [&](const SqlRow&) { renewal.known = true; });
    if (!renewal.known) return renewal;
    ask(session, prolong, {owner, epoch, sql_value(now + lease)}, [&](const SqlRow& row) {
        if (row.number(1) != 0) renewal.cancel_requested.push_back(row.number(0));
    });
    std::ranges::sort(renewal.cancel_requested);
    return renewal;
}

std::vector<core::Run> reap_runs(Session& session, core::Instant now, int limit, bool all,
                                 const std::function<ports::FinishedRun(const ports::ClaimedRun&)>& decide) {
    std::vector<ports::ClaimedRun> lost;
    ask(session, lost_texts(), {sql_value(now), std::int64_t{limit}, std::int64_t{all ? 1 : 0}},
        [&](const SqlRow& row) { lost.push_back(read_claimed(row)); });
    std::vector<ports::FinishedRun> ends;
    for (const ports::ClaimedRun& one : lost) {
        ends.push_back(decide(one));
        ends.back().run_id = one.run.run_id;
        ends.back().attempt = one.run.attempt;
    }
    return find_runs(session, store_ends(session, {{}, -1}, ends));
}

std::vector<core::Run> expire_runs(Session& session, core::Instant now, int limit) {
    std::vector<core::Run> expired;
    ask(session, expire_texts(), {sql_value(now), std::int64_t{limit}},
        [&](const SqlRow& row) { expired.push_back(read_run(row)); });
    std::vector<EndedRun> ended;
    for (const core::Run& run : expired) ended.push_back({run.schedule_id, run.state, now});
    arm_followers(session, ended);
    std::ranges::sort(expired, {}, &core::Run::run_id);
    return expired;
}

}  // namespace varde::store
