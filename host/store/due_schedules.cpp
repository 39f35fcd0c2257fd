#include "store/due_schedules.hpp"

#include "config/schedule_definition.hpp"
#include "store/calendar_rows.hpp"
#include "store/dependency_rows.hpp"
#include "store/event_hearing.hpp"
#include "store/row_batch.hpp"
#include "store/run_ends.hpp"
#include "store/run_rows.hpp"
#include "store/schedule_rows.hpp"

#include <iterator>
#include <map>

#include <nlohmann/json.hpp>

namespace varde::store {
namespace {

SqlTexts due_texts() {
    static const std::string start = "SELECT " + schedule_columns.of("s") +
                                     " FROM schedules AS s WHERE s.state = 'active' AND s.next_at IS NOT NULL AND s.next_at <= ";
    static const std::string postgres = start + "$1 ORDER BY s.next_at, s.schedule_id LIMIT $2 FOR UPDATE SKIP LOCKED";
    static const std::string sqlite = start + "?1 ORDER BY s.next_at, s.schedule_id LIMIT ?2";
    return {postgres.c_str(), sqlite.c_str()};
}

constexpr SqlTexts move_due_cursors{
    "UPDATE schedules SET next_at = f.new_next, last_nominal = CASE WHEN f.new_last IS NULL OR f.new_last < last_nominal"
    " THEN last_nominal ELSE f.new_last END, state = CASE WHEN f.done = 1 THEN 'completed' ELSE state END"
    " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS f (id, new_next, new_last, done)"
    " WHERE schedule_id = f.id",
    "UPDATE schedules SET next_at = ?2, last_nominal = CASE WHEN ?3 IS NULL OR ?3 < last_nominal"
    " THEN last_nominal ELSE ?3 END, state = CASE WHEN ?4 = 1 THEN 'completed' ELSE state END WHERE schedule_id = ?1"};

// The schedules are locked too: two hosts that release runs of one would not see each other's.
SqlTexts waiting_texts() {
    static const std::string start = "SELECT " + run_columns.of("r") + ", " + schedule_columns.of("s") +
                                     " FROM runs AS r CROSS JOIN schedules AS s WHERE s.schedule_id = r.schedule_id AND"
                                     " r.state = 'waiting' AND (r.start_by IS NULL OR r.start_by >= ";
    static const std::string postgres = start + "$1) ORDER BY r.run_id LIMIT $2 FOR UPDATE OF r, s SKIP LOCKED";
    static const std::string sqlite = start + "?1) ORDER BY r.run_id LIMIT ?2";
    return {postgres.c_str(), sqlite.c_str()};
}

// start_by was how long it might wait.
constexpr SqlTexts release_runs{
    "UPDATE runs SET state = 'pending', run_at = $2, start_by = NULL WHERE run_id = ANY ($1::bigint[])",
    "UPDATE runs SET state = 'pending', run_at = ?2, start_by = NULL WHERE run_id = ?1"};
constexpr SqlTexts skip_runs{
    "UPDATE runs SET state = 'skipped', reason = 'dependency_not_met', detail = f.detail, finished_at = $3"
    " FROM unnest($1::bigint[], $2::text[]) AS f (id, detail) WHERE run_id = f.id",
    "UPDATE runs SET state = 'skipped', reason = 'dependency_not_met', detail = ?2, finished_at = ?3 WHERE run_id = ?1"};

std::vector<ports::DueSchedule> due_schedules(Session& session, core::Instant now, int limit) {
    std::vector<ports::DueSchedule> due;
    std::vector<std::string> ids;
    ask(session, due_texts(), {sql_value(now), std::int64_t{limit}}, [&](const SqlRow& row) {
        auto schedule = read_schedule(row, 0);
        if (!schedule) return;  // broken by hand: it must not keep the others from running
        ids.push_back(schedule->schedule_id);
        due.push_back({std::move(*schedule), 0, 0, {}, {}, {}, false});
    });
    // A statement of its own, so that it sees what was done until the locks were given.
    const auto live = count_live(session, ids);
    std::vector<const core::Schedule*> schedules;
    for (const auto& one : due) schedules.push_back(&one.schedule);
    auto facts = dependency_facts(session, schedules);
    auto calendars = calendars_of(session, schedules);
    for (std::size_t i = 0; i < due.size(); ++i) {
        due[i].calendars = std::move(calendars[i]);
        due[i].live = live[i].live;
        due[i].queued = live[i].queued;
        due[i].facts = std::move(facts[i]);
    }
    return due;
}

bool listens(const core::Trigger& trigger) {
    return trigger.kind == core::TriggerKind::event || !trigger.cancel_on.empty() || !trigger.move_on.empty();
}

/// What events have done to schedules: new times, what was heard, and who need not listen any more.
std::vector<ports::HeededEvent> write_heeded(Session& session, core::Instant now, std::vector<DecidedSchedule>& decided) {
    static constexpr SqlTexts move{
        "UPDATE schedules SET trigger = f.new_trigger, version = version + 1, generation = generation + 1, updated_at = $3"
        " FROM unnest($1::text[], $2::text[]) AS f (id, new_trigger) WHERE schedule_id = f.id",
        "UPDATE schedules SET trigger = ?2, version = version + 1, generation = generation + 1, updated_at = ?3"
        " WHERE schedule_id = ?1"};
    RowBatch moved{"tt"};
    std::vector<std::string> deaf;
    std::vector<std::pair<std::string, std::int64_t>> heard;
    std::vector<ports::HeededEvent> heeded;
    for (auto& [due, decision] : decided) {
        auto& schedule = due.schedule;
        if (decision.completed && listens(schedule.trigger)) deaf.push_back(schedule.schedule_id);
        if (decision.moved_to) {
            schedule.trigger.at = *decision.moved_to;
            moved.add({schedule.schedule_id, config::trigger_json(schedule.trigger).dump()});
        }
        if (!decision.heeded.empty() && !due.events.empty()) heard.emplace_back(schedule.schedule_id, due.events.back()->seq);
        for (auto& what : decision.heeded) {
            what.schedule_id = schedule.schedule_id;
            what.org_id = schedule.org_id;
            heeded.push_back(std::move(what));
        }
    }
    moved.execute(session, move, {sql_value(now)});
    move_listens(session, heard);
    erase_listens(session, deaf);
    return heeded;
}

}  // namespace

void prefer_indexes(Session& session) {
    if (session.engine() == Engine::sqlite) return;
    // Nor all pending rows, to sort them: the index has them in order.
    session.exec(
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;"
        "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off");
}

ports::FiredSlots write_decisions(Session& session, core::Instant now, std::vector<DecidedSchedule> decided) {
    ports::FiredSlots fired;
    RowBatch cursors{"tnnn"};
    std::vector<core::Run> runs;
    std::vector<std::string> superseded;
    for (auto& [due, decision] : decided) {
        ++fired.schedules;
        cursors.add({due.schedule.schedule_id, sql_value(decision.next_at), sql_value(decision.last_nominal),
                     std::int64_t{decision.completed ? 1 : 0}});
        if (decision.cancel_live) superseded.push_back(due.schedule.schedule_id);
        for (core::Run& run : decision.runs) run.org_id = due.schedule.org_id;
        std::ranges::move(decision.runs, std::back_inserter(runs));
    }
    cancel_queued(session, superseded, core::SlotReason::superseded, now);
    stop_running(session, superseded);
    fired.rows = insert_runs(session, std::move(runs));
    cursors.execute(session, move_due_cursors);
    fired.heeded = write_heeded(session, now, decided);
    return fired;
}

ports::FiredSlots fire_due_schedules(Session& session, core::Instant now, int limit,
                                     const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) {
    prefer_indexes(session);
    auto due = due_schedules(session, now, limit);
    const auto events = add_unheard_events(session, due);
    std::vector<DecidedSchedule> decided;
    decided.reserve(due.size());
    for (auto& one : due) {
        auto decision = decide(one);
        decided.push_back({std::move(one), std::move(decision)});
    }
    return write_decisions(session, now, std::move(decided));
}

int settle_waiting_runs(Session& session, core::Instant now, int limit,
                        const std::function<ports::WaitingDecision(const ports::WaitingRun&)>& decide) {
    prefer_indexes(session);
    std::vector<ports::WaitingRun> waiting;
    ask(session, waiting_texts(), {sql_value(now), std::int64_t{limit}}, [&](const SqlRow& row) {
        auto schedule = read_schedule(row, run_columns.count());
        if (schedule) waiting.push_back({read_run(row), std::move(*schedule), {}, 0});
    });
    std::vector<const core::Schedule*> schedules;
    std::vector<std::string> ids;
    for (const auto& one : waiting) {
        schedules.push_back(&one.schedule);
        ids.push_back(one.schedule.schedule_id);
    }
    auto facts = dependency_facts(session, schedules);
    std::map<std::string, int> ahead;
    for (std::size_t i = 0; const LiveRuns& live : count_live(session, ids)) ahead[ids[i++]] = live.live - live.waiting;

    RowBatch released{"n"}, skipped{"nt"};
    std::vector<EndedRun> ended;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        waiting[i].facts = std::move(facts[i]);
        waiting[i].ahead = ahead[ids[i]];
        const ports::WaitingDecision decision = decide(waiting[i]);
        const core::Run& run = waiting[i].run;
        if (decision.what == ports::WaitingDecision::What::release) {
            released.add({run.run_id});
            ++ahead[ids[i]];
        }
        if (decision.what != ports::WaitingDecision::What::skip) continue;
        skipped.add({run.run_id, decision.detail});
        ended.push_back({run.schedule_id, core::RunState::skipped, now});
    }
    released.execute(session, release_runs, {sql_value(now)});
    skipped.execute(session, skip_runs, {sql_value(now)});
    arm_followers(session, ended);
    return static_cast<int>(released.size() + skipped.size());
}

}  // namespace varde::store
