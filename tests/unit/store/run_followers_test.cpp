// What the end of a run makes due.
#include "schedule_fixture.hpp"

#include <thread>

using namespace varde;
using namespace varde::store::testing;
using core::RunState;

namespace {

core::Schedule fixed_delay(const std::string& id) {
    auto schedule = schedule_of(id);
    schedule.trigger.after_completion = true;
    schedule.trigger.period = std::chrono::minutes{5};
    return schedule;
}

/// As a decision leaves a fixed delay while its run is alive.
template <class On>
void take_cursor(Schedules<On>& fixture, const std::string& id) {
    value_of(fixture.schedules().edit(id, "", [](const core::Schedule& current, const auto&) {
        ports::ScheduleRepository::Edited edited{current, {}, {}};
        edited.schedule.next_at.reset();
        return core::Result<ports::ScheduleRepository::Edited>{edited};
    }));
}

}  // namespace

TEST_CASE_TEMPLATE("the end of a run, however it came, makes the next slot of a fixed delay", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto host = fixture.host();
    auto& runs = fixture.runs();
    const auto begin = [&](const std::string& id, RunState state) {
        const auto schedule = fixture.create(fixed_delay(id));
        auto row = run_of(schedule, at_second(1), state);
        row.start_by = at_second(5);
        row = fixture.insert(id, {row}).at(0);
        if (id != "due") take_cursor(fixture, id);
        return row.run_id;
    };
    const auto next = at_second(20) + std::chrono::minutes{5};

    begin("finished", RunState::pending);
    begin("due", RunState::pending);
    begin("retried", RunState::pending);
    std::vector<ports::FinishedRun> ends;
    for (const auto& one : value_of(runs.claim(claim_by(host, at_second(2))))) {
        const bool again = one.run.schedule_id == "retried";
        ends.push_back(finished(one.run, again ? RunState::pending : RunState::failed, at_second(20)));
    }
    CHECK(value_of(runs.finish(host.host_id, host.epoch, ends)).size() == 3);
    CHECK(fixture.find("finished").next_at == next);
    CHECK(fixture.find("due").next_at == at_second(60));
    CHECK_FALSE(fixture.find("retried").next_at.has_value());
    CHECK(fixture.find("finished").version == 2);  // only that of the edit

    const auto cancelled = begin("cancelled", RunState::pending);
    value_of(runs.cancel(cancelled, "", "anna", at_second(20)));
    CHECK(fixture.find("cancelled").next_at == next);
    begin("expired", RunState::waiting);
    value_of(runs.expire(at_second(20), 10));
    CHECK(fixture.find("expired").next_at == next);
    begin("lost", RunState::pending);
    value_of(runs.claim(claim_by(host, at_second(3))));
    value_of(runs.reap(at_second(99), 10, false,
                       [](const auto& one) { return finished(one.run, RunState::abandoned, at_second(20)); }));
    CHECK(fixture.find("lost").next_at == next);
}

TEST_CASE_TEMPLATE("a success makes schedules due that wait for it, a failure does not", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    const auto create = [&](const std::string& id, core::TriggerKind kind, core::ScheduleState state) {
        auto schedule = schedule_of(id);
        schedule.trigger.kind = kind;
        schedule.state = state;
        schedule.next_at.reset();
        schedule.policy.depends_on = {"a"};
        fixture.create(schedule);
    };
    create("b", core::TriggerKind::after, core::ScheduleState::active);
    create("c", core::TriggerKind::after, core::ScheduleState::active);
    create("paused", core::TriggerKind::after, core::ScheduleState::paused);
    create("manual", core::TriggerKind::manual, core::ScheduleState::active);
    fixture.ended("a", at_second(1), RunState::failed, at_second(5), host);
    CHECK_FALSE(fixture.find("b").next_at.has_value());
    fixture.ended("a", at_second(2), RunState::success, at_second(6), host);
    CHECK(fixture.find("b").next_at == at_second(6));
    CHECK(fixture.find("c").next_at == at_second(6));
    CHECK_FALSE(fixture.find("paused").next_at.has_value());
    CHECK_FALSE(fixture.find("manual").next_at.has_value());
    fixture.ended("a", at_second(3), RunState::success, at_second(7), host);
    CHECK(fixture.find("b").next_at == at_second(6));
}

TEST_CASE_TEMPLATE("hosts that fire, cancel, end and renew at the same time fail nowhere and lose no slot", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    constexpr int schedules = 6, minutes = 15;
    for (int i = 0; i < schedules; ++i) {
        auto schedule = schedule_of("s" + std::to_string(i));
        if (i > 0) schedule.policy.depends_on = {"s" + std::to_string(i - 1)};
        fixture.create(schedule);
    }
    // Each slot takes the place of the one before it, whoever runs that.
    const auto supersede = [](const ports::DueSchedule& due) {
        auto decision = fire_once(due);
        decision.cancel_live = true;
        return decision;
    };
    const auto work = [&](const ports::JobHost& host) {
        const auto own = fixture.connect();
        store::SqlScheduleRepository plans{*own};
        store::SqlRunRepository runs{*own};
        const auto now = at_second(60 * minutes);
        while (*value_of(plans.next_due()) <= now || value_of(runs.count_pending()) > 0) {
            value_of(plans.fire_due(now, 4, supersede));
            std::vector<ports::FinishedRun> ends;
            for (const auto& one : value_of(runs.claim(claim_by(host, now, 5)))) {
                ends.push_back(finished(one.run, RunState::success, now));
            }
            std::ranges::reverse(ends);
            value_of(runs.renew(host.host_id, host.epoch, now, std::chrono::seconds{10}));
            CHECK(value_of(runs.finish(host.host_id, host.epoch, ends)).size() == ends.size());
        }
    };
    const auto first = fixture.host("a"), second = fixture.host("b");
    std::thread other{work, std::cref(first)};
    work(second);
    other.join();
    auto statistics = value_of(fixture.runs().statistics({}));
    CHECK(statistics.total == schedules * minutes);
    CHECK(statistics.by_state.at(RunState::success) + statistics.by_state[RunState::cancelled] == schedules * minutes);
}
