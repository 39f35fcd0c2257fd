#pragma once
#include "fixture.hpp"
#include "store/database_impl.hpp"
#include "store/run_repository.hpp"
#include "store/schedule_repository.hpp"

#include <algorithm>
#include <utility>

/// Schedules and runs for the tests of both repositories.
namespace varde::store::testing {

/// A schedule that is due every minute from second 60.
inline core::Schedule schedule_of(std::string id) {
    core::Schedule schedule;
    schedule.schedule_id = std::move(id);
    schedule.kind = "noop";
    schedule.trigger.kind = core::TriggerKind::interval;
    schedule.trigger.period = std::chrono::minutes{1};
    schedule.created_at = schedule.updated_at = at_second(0);
    schedule.next_at = at_second(60);
    return schedule;
}

inline core::Run run_of(const core::Schedule& schedule, core::Instant nominal_at,
                        core::RunState state = core::RunState::pending) {
    core::Run run;
    run.schedule_id = schedule.schedule_id;
    run.generation = schedule.generation;
    run.job_kind = schedule.kind;
    run.nominal_at = run.run_at = run.created_at = nominal_at;
    run.state = state;
    return run;
}

/// Fires the slot that is due and goes on to the next minute.
inline ports::DueDecision fire_once(const ports::DueSchedule& due) {
    ports::DueDecision decision;
    decision.last_nominal = due.schedule.next_at;
    decision.next_at = *due.schedule.next_at + std::chrono::minutes{1};
    decision.runs.push_back(run_of(due.schedule, *due.schedule.next_at));
    return decision;
}

inline ports::FinishedRun finished(const core::Run& run, core::RunState state, core::Instant at) {
    ports::FinishedRun end;
    end.run_id = run.run_id;
    end.attempt = run.attempt;
    end.state = state;
    end.finished_at = at;
    return end;
}

inline ports::ClaimRequest claim_by(const ports::JobHost& host, core::Instant now, int limit = 10) {
    ports::ClaimRequest request;
    request.owner = host.host_id;
    request.epoch = host.epoch;
    request.now = now;
    request.limit = limit;
    return request;
}

template <class On>
struct Schedules : Fixture<On> {
    /// One of that database.
    ports::ScheduleRepository& schedules() {
        if (!schedules_) schedules_ = std::make_unique<SqlScheduleRepository>(this->database());
        return *schedules_;
    }
    ports::RunRepository& runs() {
        if (!runs_) runs_ = std::make_unique<SqlRunRepository>(this->database());
        return *runs_;
    }
    core::Schedule create(const core::Schedule& schedule) { return value_of(schedules().create(schedule)); }
    ports::JobHost host(const std::string& id = "host-a") { return value_of(runs().register_host(id, "a host", at_second(0))); }
    core::Schedule find(const std::string& id) { return value_of(schedules().find(id, "")); }
    core::Run run(std::int64_t id) { return value_of(runs().find(id, "")); }
    /// Puts rows into the history by a decision about that schedule, which must be due; its next slot stays.
    std::vector<core::Run> insert(const std::string& id, std::vector<core::Run> rows) {
        const auto due = find(id).next_at;
        return value_of(schedules().fire_due(*due, 1000,
                                             [&](const ports::DueSchedule& one) {
                                                 ports::DueDecision decision{one.schedule.next_at, {}, false, false, {}};
                                                 if (one.schedule.schedule_id == id) decision.runs = rows;
                                                 return decision;
                                             }))
            .rows;
    }
    /// A run of that schedule, claimed by the host.
    core::Run running(const std::string& id, core::Instant nominal_at, const ports::JobHost& host) {
        const auto row = insert(id, {run_of(find(id), nominal_at)}).at(0);
        auto request = claim_by(host, nominal_at, 1000);
        for (auto& claimed : value_of(runs().claim(request))) {
            if (claimed.run.run_id == row.run_id) return claimed.run;
        }
        FAIL("not claimed");
        return {};
    }
    /// Ends a run of that schedule in this state.
    core::Run ended(const std::string& id, core::Instant nominal_at, core::RunState state, core::Instant at,
                    const ports::JobHost& host) {
        const auto run = running(id, nominal_at, host);
        const std::vector ends{finished(run, state, at)};
        REQUIRE(value_of(runs().finish(host.host_id, host.epoch, ends)) == std::vector{run.run_id});
        return this->run(run.run_id);
    }

  private:
    std::unique_ptr<ports::ScheduleRepository> schedules_;
    std::unique_ptr<ports::RunRepository> runs_;
};

inline std::vector<std::int64_t> ids_of(const std::vector<core::Run>& runs) {
    std::vector<std::int64_t> ids;
    for (const auto& run : runs) ids.push_back(run.run_id);
    return ids;
}
inline std::vector<std::string> ids_of(const std::vector<core::Schedule>& schedules) {
    std::vector<std::string> ids;
    for (const auto& schedule : schedules) ids.push_back(schedule.schedule_id);
    return ids;
}

}  // namespace varde::store::testing
