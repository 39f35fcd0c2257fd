#include "store/run_repository.hpp"

#include "store/due_schedules.hpp"
#include "store/refusal.hpp"
#include "store/run_claims.hpp"
#include "store/run_ends.hpp"
#include "store/run_queries.hpp"
#include "store/run_rows.hpp"
#include "store/schedule_rows.hpp"

#include <fmt/format.h>

namespace varde::store {
namespace {

std::string not_there(std::int64_t run_id) { return fmt::format("there is no run {}", run_id); }

/// The run, locked until the end of the transaction. Throws Refusal.
core::Run lock_run(Session& session, std::int64_t run_id, const std::string& org_id) {
    Conditions conditions;
    conditions.add("r.run_id", "=", static_cast<long long>(run_id));
    if (!org_id.empty()) conditions.add("r.org_id", "=", org_id);
    auto found = select_runs(session, conditions, session.engine() == Engine::postgresql ? " FOR UPDATE" : "");
    if (found.empty()) refuse(core::Errc::not_found, not_there(run_id));
    return std::move(found.front());
}

core::Run cancel_run(Session& session, core::Run run, const std::string& by, core::Instant now) {
    static constexpr SqlTexts end_queued{
        "UPDATE runs SET state = 'cancelled', reason = 'cancelled', detail = $2, finished_at = $3 WHERE run_id = $1",
        "UPDATE runs SET state = 'cancelled', reason = 'cancelled', detail = ?2, finished_at = ?3 WHERE run_id = ?1"};
    static constexpr SqlTexts ask_to_stop{"UPDATE runs SET cancel_requested = 1, detail = $2 WHERE run_id = $1",
                                          "UPDATE runs SET cancel_requested = 1, detail = ?2 WHERE run_id = ?1"};
    if (core::is_terminal(run.state)) {
        refuse(core::Errc::conflict, fmt::format("run {} is over: {}", run.run_id, core::name_of(run.state)));
    }
    run.detail = by.empty() ? std::string{"cancelled"} : "cancelled by " + by;
    if (run.state == core::RunState::running) {
        ask(session, ask_to_stop, {run.run_id, run.detail});
        run.cancel_requested = true;
        return run;
    }
    ask(session, end_queued, {run.run_id, run.detail, sql_value(now)});
    run.state = core::RunState::cancelled;
    run.reason = core::SlotReason::cancelled;
    run.finished_at = now;
    arm_followers(session, std::vector{EndedRun{run.schedule_id, run.state, now}});
    return run;
}

std::optional<core::Run> run_of_key(Session& session, const std::string& schedule_id, const std::string& key) {
    if (key.empty()) return std::nullopt;
    Conditions conditions;
    conditions.add("r.schedule_id", "=", schedule_id).add("r.idempotency_key", "=", key);
    auto found = select_runs(session, conditions, " AND r.idempotency_key <> ''");  // as the index has it
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

core::Run add_run(Session& session, const core::Schedule& schedule, const std::string& key,
                  const ports::RunRepository::Allow& allow) {
    const LiveRuns live = count_live(session, {schedule.schedule_id}).front();
    auto run = allow(schedule, live.live, live.queued);
    if (!run) throw Refusal{std::move(run.error())};
    run->schedule_id = schedule.schedule_id;
    run->org_id = schedule.org_id;
    run->idempotency_key = key;
    for (;;) {
        auto inserted = insert_runs(session, {*run});
        if (!inserted.empty()) return std::move(inserted.front());
        run->nominal_at += core::Microseconds{1};  // two people in one microsecond are two runs
    }
}

}  // namespace

core::Result<std::optional<core::Instant>> SqlRunRepository::database_now() {
    if (database_.engine() == Engine::sqlite) return std::nullopt;
    static constexpr const char* clock = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000000) AS BIGINT)";
    return database_.impl().run("reading the database's clock", [](Session& session) {
        std::optional<core::Instant> now;
        ask(session, {clock, clock}, {}, [&](const SqlRow& row) { now = row.instant(0); });
        return now;
    });
}

core::Result<ports::JobHost> SqlRunRepository::register_host(const std::string& host_id, const std::string& name,
                                                             core::Instant now) {
    static constexpr SqlTexts next_epoch{"SELECT nextval('job_host_epochs')",
                                         "UPDATE job_host_epochs SET epoch = epoch + 1 RETURNING epoch"};
    static constexpr SqlTexts insert{
        "INSERT INTO job_hosts (host_id, epoch, name, started_at, beat_at) VALUES ($1, $2, $3, $4, $4)"
        " ON CONFLICT (host_id) DO UPDATE SET epoch = excluded.epoch, name = excluded.name, started_at = excluded.started_at,"
        " beat_at = excluded.beat_at",
        "INSERT INTO job_hosts (host_id, epoch, name, started_at, beat_at) VALUES (?1, ?2, ?3, ?4, ?4)"
        " ON CONFLICT (host_id) DO UPDATE SET epoch = excluded.epoch, name = excluded.name, started_at = excluded.started_at,"
        " beat_at = excluded.beat_at"};
    return database_.impl().write("registering a host", [&](Session& session) {
        ports::JobHost host{host_id, 0, name, now, now};
        ask(session, next_epoch, {}, [&](const SqlRow& row) { host.epoch = row.number(0); });
        ask(session, insert, {host_id, host.epoch, name, sql_value(now)});
        return host;
    });
}

core::Result<void> SqlRunRepository::forget_host(const std::string& host_id) {
    static constexpr SqlTexts erase{"DELETE FROM job_hosts WHERE host_id = $1", "DELETE FROM job_hosts WHERE host_id = ?1"};
    return database_.impl().write("forgetting a host", [&](Session& session) { ask(session, erase, {host_id}); });
}

core::Result<std::vector<ports::JobHost>> SqlRunRepository::hosts() {
    static constexpr const char* all = "SELECT host_id, epoch, name, started_at, beat_at FROM job_hosts ORDER BY epoch";
    return database_.impl().run("listing hosts", [](Session& session) {
        std::vector<ports::JobHost> found;
        ask(session, {all, all}, {}, [&](const SqlRow& row) {
            found.push_back({row.string(0), row.number(1), row.string(2), row.instant(3), row.instant(4)});
        });
        return found;
    });
}

core::Result<std::vector<ports::ClaimedRun>> SqlRunRepository::claim(const ports::ClaimRequest& request) {
    return write_in_the_end(database_, "claiming runs", [&](Session& session) { return claim_runs(session, request); });
}

core::Result<std::optional<core::Instant>> SqlRunRepository::next_pending() {
    static constexpr const char* earliest = "SELECT min(run_at) FROM runs WHERE state = 'pending'";
    return database_.impl().run("reading when the next run is pending", [](Session& session) {
        std::optional<core::Instant> next;
        ask(session, {earliest, earliest}, {}, [&](const SqlRow& row) { next = row.maybe_instant(0); });
        return next;
    });
}

core::Result<std::int64_t> SqlRunRepository::count_pending() {
    static constexpr const char* count = "SELECT count(*) FROM runs WHERE state = 'pending'";
    return database_.impl().run("counting pending runs", [](Session& session) {
        std::int64_t rows = 0;
        ask(session, {count, count}, {}, [&](const SqlRow& row) { rows = row.number(0); });
        return rows;
    });
}

core::Result<std::vector<std::int64_t>> SqlRunRepository::finish(const std::string& owner, std::int64_t epoch,
                                                                 std::span<const ports::FinishedRun> runs) {
    if (runs.empty()) return std::vector<std::int64_t>{};
    return write_in_the_end(database_, "storing the ends of runs", [&](Session& session) {
        prefer_indexes(session);
        return store_ends(session, {owner, epoch}, runs);
    });
}

core::Result<void> SqlRunRepository::give_back(const std::string& owner, std::int64_t epoch,
                                               std::span<const std::int64_t> run_ids) {
    return write_in_the_end(database_, "giving runs back",
                            [&](Session& session) { give_back_runs(session, owner, epoch, run_ids); });
}

core::Result<ports::Renewal> SqlRunRepository::renew(const std::string& owner, std::int64_t epoch, core::Instant now,
                                                     core::Microseconds lease) {
    return write_in_the_end(database_, "renewing leases",
                            [&](Session& session) { return renew_leases(session, owner, epoch, now, lease); });
}

core::Result<std::vector<core::Run>> SqlRunRepository::reap(
    core::Instant now, int limit, bool all, const std::function<ports::FinishedRun(const ports::ClaimedRun&)>& decide) {
    return write_in_the_end(database_, "ending lost runs",
                            [&](Session& session) { return reap_runs(session, now, limit, all, decide); });
}

core::Result<std::vector<core::Run>> SqlRunRepository::expire(core::Instant now, int limit) {
    return write_in_the_end(database_, "ending runs that nobody started",
                            [&](Session& session) { return expire_runs(session, now, limit); });
}

core::Result<ports::RunRepository::Added> SqlRunRepository::add(const std::string& schedule_id, const std::string& org_id,
                                                                const std::string& idempotency_key, const Allow& allow) {
    return write_in_the_end(database_, "adding a run", [&](Session& session) -> Added {
        const core::Schedule schedule = lock_schedule(session, schedule_id, org_id);
        if (auto before = run_of_key(session, schedule_id, idempotency_key)) return {std::move(*before), false};
        return {add_run(session, schedule, idempotency_key, allow), true};
    });
}

core::Result<core::Run> SqlRunRepository::cancel(std::int64_t run_id, const std::string& org_id, const std::string& by,
                                                 core::Instant now) {
    return write_in_the_end(database_, "cancelling a run",
                            [&](Session& session) { return cancel_run(session, lock_run(session, run_id, org_id), by, now); });
}

core::Result<core::Run> SqlRunRepository::find(std::int64_t run_id, const std::string& org_id) {
    auto found = database_.impl().run("reading a run", [&](Session& session) { return find_runs(session, {run_id}); });
    if (!found) return tl::unexpected{std::move(found.error())};
    if (found->empty() || (!org_id.empty() && found->front().org_id != org_id)) {
        return core::fail(core::Errc::not_found, not_there(run_id));
    }
    return std::move(found->front());
}

core::Result<std::vector<core::Run>> SqlRunRepository::list(const ports::RunQuery& query) {
    if (query.limit < 1 || query.limit > 1000) return core::fail(core::Errc::invalid_argument, "runs: limit must be 1 to 1000");
    return database_.impl().run("listing runs", [&](Session& session) {
        Conditions conditions = conditions_of(query);
        if (query.since) conditions.add("r.nominal_at", ">=", *query.since);
        if (query.until) conditions.add("r.nominal_at", "<", *query.until);
        if (query.before != 0) conditions.add("r.run_id", "<", static_cast<long long>(query.before));
        const std::string limit = conditions.value(static_cast<long long>(query.limit));
        return select_runs(session, conditions, " ORDER BY r.run_id DESC LIMIT " + limit);
    });
}

core::Result<ports::RunRepository::Around> SqlRunRepository::around(const std::string& schedule_id, core::Instant at) {
    return database_.impl().run("reading the slots around an instant",
                                [&](Session& session) { return runs_around(session, schedule_id, at); });
}

core::Result<ports::RunStatistics> SqlRunRepository::statistics(const ports::RunQuery& query) {
    return database_.impl().run("counting runs", [&](Session& session) {
        session.exec(session.engine() == Engine::sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        auto statistics = run_statistics(session, query);
        session.exec("COMMIT");
        return statistics;
    });
}

core::Result<std::int64_t> SqlRunRepository::cleanup(core::Instant before, const std::string& org_id, std::int64_t limit) {
    static constexpr SqlTexts erase{
        "DELETE FROM runs WHERE run_id = ANY (ARRAY (SELECT run_id FROM runs WHERE finished_at IS NOT NULL AND finished_at < $1"
        " AND (CAST($2 AS TEXT) = '' OR org_id = $2) ORDER BY finished_at, run_id LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING 1",
        "DELETE FROM runs WHERE run_id IN (SELECT run_id FROM runs WHERE finished_at IS NOT NULL AND finished_at < ?1"
        " AND (?2 = '' OR org_id = ?2) ORDER BY finished_at, run_id LIMIT ?3) RETURNING 1"};
    return write_in_the_end(database_, "deleting old runs", [&](Session& session) {
        std::int64_t rows = 0;
        ask(session, erase, {sql_value(before), org_id, limit}, [&](const SqlRow&) { ++rows; });
        return rows;
    });
}

}  // namespace varde::store
