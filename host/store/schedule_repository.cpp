#include "store/schedule_repository.hpp"

#include "store/calendar_rows.hpp"
#include "store/dependency_rows.hpp"
#include "store/due_schedules.hpp"
#include "store/event_hearing.hpp"
#include "store/refusal.hpp"
#include "store/run_ends.hpp"
#include "store/run_rows.hpp"
#include "store/schedule_facts.hpp"
#include "store/schedule_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace varde::store {
namespace {

std::string lowered(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return text;
}

/// Both engines' lower() knows A-Z only: on PostgreSQL the columns have the collation "C".
Conditions conditions_of(const ports::ScheduleQuery& query, Engine engine) {
    Conditions conditions;
    if (!query.org_id.empty()) conditions.add("s.org_id", "=", query.org_id);
    if (query.kind) conditions.add("s.kind", "=", *query.kind);
    if (query.state) conditions.add("s.state", "=", std::string{core::name_of(*query.state)});
    if (query.source) conditions.add("s.source", "=", *query.source);
    if (query.name_contains) {
        const std::string part = lowered(*query.name_contains);
        const std::string find = engine == Engine::postgresql ? "strpos" : "instr";
        const std::string either = fmt::format("greatest({0}(lower(s.schedule_id), {1}), {0}(lower(s.name), {2}))", find,
                                               conditions.value(std::string{part}), conditions.value(std::string{part}));
        conditions.add(engine == Engine::postgresql ? either : "max" + either.substr(std::string_view{"greatest"}.size()), ">",
                       0LL);
    }
    if (query.label) {
        const auto equals = query.label->find('=');
        const std::string key = conditions.value(query.label->substr(0, equals));
        const auto value = engine == Engine::postgresql
                               ? "(CAST(s.labels AS jsonb) ->> " + key + ")"
                               : "(SELECT j.value FROM json_each(s.labels) AS j WHERE j.key = " + key + ")";
        conditions.add(value, "=", query.label->substr(equals + 1));
    }
    return conditions;
}

std::optional<core::Error> refusal_of(const ports::ScheduleQuery& query) {
    if (query.limit < 1 || query.limit > 1000) {
        return core::Error{core::Errc::invalid_argument, "schedules: limit must be 1 to 1000"};
    }
    if (query.label && query.label->find('=') == std::string::npos) {
        return core::Error{core::Errc::invalid_argument, "schedules: label must be key=value"};
    }
    return std::nullopt;
}

std::int64_t new_generation(Session& session, const std::string& schedule_id) {
    static constexpr SqlTexts newest{"SELECT max(generation) FROM runs WHERE schedule_id = $1",
                                     "SELECT max(generation) FROM runs WHERE schedule_id = ?1"};
    std::int64_t generation = 0;
    ask(session, newest, {schedule_id}, [&](const SqlRow& row) { generation = row.number(0); });
    return generation + 1;
}

core::Schedule write_edited(Session& session, const core::Schedule& current, ports::ScheduleRepository::Edited edited) {
    core::Schedule& to = edited.schedule;
    to.schedule_id = current.schedule_id;
    to.org_id = current.org_id;
    to.created_at = current.created_at;
    to.version = current.version + 1;
    to.last_run_id = current.last_run_id;
    to.last_status = current.last_status;
    to.last_run_at = current.last_run_at;
    // What it depends on already may be gone: that is no reason to refuse another change.
    if (to.policy.depends_on != current.policy.depends_on) write_dependencies(session, to);
    if (to.policy.calendars != current.policy.calendars) require_calendars(session, to);
    if (edited.cancel_queued) cancel_queued(session, {to.schedule_id}, *edited.cancel_queued, to.updated_at);
    for (core::Run& run : edited.runs) run.org_id = to.org_id;
    static_cast<void>(insert_runs(session, std::move(edited.runs)));
    update_schedule(session, to);
    // What is completed has ceased to listen.
    if (to.state == core::ScheduleState::completed) {
        erase_listens(session, {to.schedule_id});
    } else if (to.trigger != current.trigger || current.state == core::ScheduleState::completed) {
        write_listens(session, to);
    }
    return std::move(to);
}

void erase_schedule(Session& session, const std::string& schedule_id, bool purge) {
    static constexpr SqlTexts schedule{"DELETE FROM schedules WHERE schedule_id = $1",
                                       "DELETE FROM schedules WHERE schedule_id = ?1"};
    static constexpr SqlTexts history{"DELETE FROM runs WHERE schedule_id = $1 AND finished_at IS NOT NULL",
                                      "DELETE FROM runs WHERE schedule_id = ?1 AND finished_at IS NOT NULL"};
    erase_dependencies(session, schedule_id);
    erase_listens(session, {schedule_id});
    ask(session, schedule, {schedule_id});
    // Running ones stay until they have ended: their hosts look for the wish to stop there.
    if (purge) ask(session, history, {schedule_id});
}

}  // namespace

core::Result<core::Schedule> SqlScheduleRepository::create(const core::Schedule& schedule) {
    return write_in_the_end(database_, "creating a schedule", [&](Session& session) {
        core::Schedule created = schedule;
        created.version = 1;
        created.generation = new_generation(session, created.schedule_id);
        if (!insert_schedule(session, created)) {
            refuse(core::Errc::conflict, fmt::format("there is a schedule {} already", created.schedule_id));
        }
        require_calendars(session, created);
        if (!created.policy.depends_on.empty()) write_dependencies(session, created);
        write_listens(session, created);
        created.last_run_id = 0;
        created.last_status.clear();
        created.last_run_at.reset();
        return created;
    });
}

core::Result<core::Schedule> SqlScheduleRepository::edit(const std::string& schedule_id, const std::string& org_id,
                                                         const Edit& edit) {
    return write_in_the_end(database_, "changing a schedule", [&](Session& session) {
        const core::Schedule current = lock_schedule(session, schedule_id, org_id);
        auto edited = edit(current, [&session](const core::Schedule& schedule) -> core::Result<core::Calendars> {
            return std::move(calendars_of(session, {&schedule}).front());
        });
        if (!edited) throw Refusal{std::move(edited.error())};
        return write_edited(session, current, std::move(*edited));
    });
}

core::Result<void> SqlScheduleRepository::remove(const std::string& schedule_id, const std::string& org_id, bool purge,
                                                 bool force, core::Instant now) {
    return write_in_the_end(database_, "deleting a schedule", [&](Session& session) {
        static_cast<void>(lock_schedule(session, schedule_id, org_id));
        lock_dependencies(session);
        const auto others = dependents_of(session, schedule_id, false);
        if (!force && !others.empty()) {
            refuse(core::Errc::conflict, fmt::format("schedule {} cannot be deleted: {} depend{} on it", schedule_id,
                                                     fmt::join(others, ", "), others.size() == 1 ? "s" : ""));
        }
        cancel_queued(session, {schedule_id}, core::SlotReason::deleted, now);
        stop_running(session, {schedule_id});
        erase_schedule(session, schedule_id, purge);
    });
}

core::Result<core::Schedule> SqlScheduleRepository::find(const std::string& schedule_id, const std::string& org_id) {
    auto found = database_.impl().run("reading a schedule", [&](Session& session) {
        Conditions conditions;
        conditions.add("s.schedule_id", "=", schedule_id);
        if (!org_id.empty()) conditions.add("s.org_id", "=", org_id);
        return select_schedules(session, conditions, "");
    });
    if (!found) return tl::unexpected{std::move(found.error())};
    if (found->empty()) return core::fail(core::Errc::not_found, fmt::format("there is no schedule {}", schedule_id));
    return std::move(found->front());
}

core::Result<std::vector<core::Schedule>> SqlScheduleRepository::list(const ports::ScheduleQuery& query) {
    if (auto error = refusal_of(query)) return tl::unexpected{std::move(*error)};
    return database_.impl().run("listing schedules", [&](Session& session) {
        Conditions conditions = conditions_of(query, session.engine());
        if (query.after) conditions.before("(s.created_at, s.schedule_id)", query.after->created_at, query.after->schedule_id);
        const std::string limit = conditions.value(static_cast<long long>(query.limit));
        return select_schedules(session, conditions, " ORDER BY s.created_at DESC, s.schedule_id DESC LIMIT " + limit);
    });
}

core::Result<std::int64_t> SqlScheduleRepository::count(const ports::ScheduleQuery& query) {
    if (auto error = refusal_of(query)) return tl::unexpected{std::move(*error)};
    return database_.impl().run("counting schedules", [&](Session& session) {
        const Conditions conditions = conditions_of(query, session.engine());
        long long rows = 0;
        soci::statement statement{session.sql};
        statement.exchange(soci::into(rows));
        conditions.execute(statement, "SELECT count(*) FROM schedules AS s" + conditions.where());
        statement.fetch();
        return std::int64_t{rows};
    });
}

core::Result<std::vector<std::string>> SqlScheduleRepository::dependents(const std::string& schedule_id, bool transitive) {
    return database_.impl().run("reading dependents",
                                [&](Session& session) { return dependents_of(session, schedule_id, transitive); });
}

core::Result<ports::ScheduleRepository::ZonesFollowed> SqlScheduleRepository::follow_zones(
    const std::string& tzdata, const ports::CalendarRepository::Recompute& recompute) {
    return write_in_the_end(database_, "following the time zone rules",
                            [&](Session& session) { return store::follow_zones(session, tzdata, recompute); });
}

core::Result<ports::FiredSlots> SqlScheduleRepository::fire_due(
    core::Instant now, int limit, const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) {
    return write_in_the_end(database_, "deciding about due schedules",
                            [&](Session& session) { return fire_due_schedules(session, now, limit, decide); });
}

core::Result<std::optional<core::Instant>> SqlScheduleRepository::next_due() {
    static constexpr const char* earliest =
        "SELECT next_at FROM schedules WHERE state = 'active' AND next_at IS NOT NULL ORDER BY next_at LIMIT 1";
    return database_.impl().run("reading when the next schedule is due", [](Session& session) {
        std::optional<core::Instant> next;
        ask(session, {earliest, earliest}, {}, [&](const SqlRow& row) { next = row.instant(0); });
        return next;
    });
}

core::Result<ports::HeardEvents> SqlScheduleRepository::hear_events(
    core::Instant now, const ports::CalledBy& called,
    const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) {
    return write_in_the_end(database_, "hearing events",
                            [&](Session& session) { return hear_stored_events(session, now, called, decide); });
}

core::Result<std::vector<std::string>> SqlScheduleRepository::event_categories() {
    return database_.impl().run("reading what schedules listen to", listened_categories);
}

core::Result<int> SqlScheduleRepository::settle_waiting(
    core::Instant now, int limit, const std::function<ports::WaitingDecision(const ports::WaitingRun&)>& decide) {
    return write_in_the_end(database_, "deciding about waiting runs",
                            [&](Session& session) { return settle_waiting_runs(session, now, limit, decide); });
}

}  // namespace varde::store
