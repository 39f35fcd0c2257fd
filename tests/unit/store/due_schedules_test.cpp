// The decisions about slots: ScheduleRepository's fire_due and settle_waiting.
#include "schedule_fixture.hpp"

#include <set>
#include <thread>

using namespace varde;
using namespace varde::store::testing;
using core::RunState;
using core::SlotReason;
using ports::DueDecision;
using ports::DueSchedule;
using Names = std::vector<std::string>;

namespace {

core::Schedule after(const std::string& id, std::vector<std::string> on) {
    auto schedule = schedule_of(id);
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::after;
    schedule.policy.depends_on = std::move(on);
    return schedule;
}

}  // namespace

TEST_CASE_TEMPLATE("a due slot becomes a row and the cursor moves, both at once", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto created = fixture.create(schedule_of("a"));
    int asked = 0;
    CHECK(value_of(fixture.schedules().fire_due(at_second(59), 10, fire_once)).schedules == 0);
    const auto fired = value_of(fixture.schedules().fire_due(at_second(60), 10, [&](const DueSchedule& due) {
        ++asked;
        CHECK(due.schedule == created);
        CHECK(due.live == 0);
        CHECK(due.facts.succeeded_at.empty());
        return fire_once(due);
    }));
    CHECK(asked == 1);
    CHECK(fired.schedules == 1);
    REQUIRE(fired.rows.size() == 1);
    auto expected = run_of(created, at_second(60));
    expected.run_id = fired.rows[0].run_id;
    CHECK(fired.rows[0] == expected);
    CHECK(fixture.run(expected.run_id) == expected);
    auto moved = created;
    moved.next_at = at_second(120);
    moved.last_nominal = at_second(60);
    CHECK(fixture.find("a") == moved);
    CHECK(value_of(fixture.schedules().fire_due(at_second(119), 10, fire_once)).schedules == 0);
}

TEST_CASE_TEMPLATE("a row comes back with everything that it was fired with", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto schedule = schedule_of("a");
    schedule.org_id = "home's org";
    fixture.create(schedule);
    auto odd = run_of(schedule, at_second(60), RunState::running);
    odd.generation = 7;
    odd.kind = core::SlotKind::after;
    odd.job_kind = "http 'x' \"y\"";
    odd.reason = SlotReason::retry;
    odd.detail = "Blåbær 😀 \n $1 ?1 :v";
    odd.nominal_from = at_second(-9);
    odd.slots = 3'000'000'000;
    odd.more_slots = true;
    odd.attempt = 1;
    odd.priority = -100;
    odd.queue = "slow";
    odd.run_at = at_second(61);
    odd.start_by = at_second(62);
    odd.owner = "host-a";
    odd.epoch = 5;
    odd.lease_until = at_second(70);
    odd.cancel_requested = true;
    odd.input = R"({"a":"'"})";
    odd.idempotency_key = "key";
    odd.requested_by = "anna";
    odd.started_at = at_second(60);
    odd.error = "e";
    odd.result = "{}";
    auto skipped = run_of(schedule, at_second(50), RunState::skipped);
    skipped.reason = SlotReason::misfire;
    skipped.created_at = at_second(63);
    const auto rows = fixture.insert("a", {odd, skipped});
    REQUIRE(rows.size() == 2);
    odd.org_id = skipped.org_id = "home's org";
    odd.run_id = rows[0].run_id;
    skipped.run_id = rows[1].run_id;
    skipped.finished_at = at_second(63);
    CHECK(odd.run_id < skipped.run_id);
    CHECK(rows == std::vector{odd, skipped});
    CHECK(fixture.run(odd.run_id) == odd);
    CHECK(value_of(fixture.runs().list({})) == std::vector{skipped, odd});
}

TEST_CASE_TEMPLATE("those due first come first, as many as the limit; paused and disabled ones never", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    for (const auto& [id, second] : {std::pair{"late", 30}, std::pair{"b", 10}, std::pair{"a", 10}, std::pair{"early", 5}}) {
        auto schedule = schedule_of(id);
        schedule.next_at = at_second(second);
        fixture.create(schedule);
    }
    for (const auto state : {core::ScheduleState::paused, core::ScheduleState::disabled, core::ScheduleState::completed}) {
        auto schedule = schedule_of(std::string{core::name_of(state)});
        schedule.state = state;
        schedule.next_at = at_second(0);
        fixture.create(schedule);
    }
    CHECK(value_of(fixture.schedules().next_due()) == at_second(5));
    Names asked;
    const auto fire = [&](int limit) {
        asked.clear();
        return value_of(fixture.schedules().fire_due(at_second(40), limit, [&](const DueSchedule& due) {
            asked.push_back(due.schedule.schedule_id);
            return DueDecision{};
        }));
    };
    CHECK(fire(3).schedules == 3);
    CHECK(asked == Names{"early", "a", "b"});
    CHECK(value_of(fixture.schedules().next_due()) == at_second(30));
    CHECK(fire(3).schedules == 1);
    CHECK(asked == Names{"late"});
    CHECK_FALSE(value_of(fixture.schedules().next_due()).has_value());
}

TEST_CASE_TEMPLATE("a slot that has a row stays as it is, and last_nominal never goes back", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    auto schedule = schedule_of("a");
    schedule.last_nominal = at_second(50);
    fixture.create(schedule);
    const auto first = fixture.insert("a", {run_of(schedule, at_second(60))});
    auto changed = run_of(schedule, at_second(60), RunState::skipped);
    auto manual = run_of(schedule, at_second(60));
    manual.kind = core::SlotKind::manual;
    auto next_generation = run_of(schedule, at_second(60));
    next_generation.generation = 2;
    const auto rows = fixture.insert("a", {changed, manual, manual, next_generation});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].kind == core::SlotKind::manual);
    CHECK(rows[1].generation == 2);
    CHECK(fixture.run(first[0].run_id) == first[0]);
    CHECK(fixture.find("a").last_nominal == at_second(50));
    value_of(fixture.schedules().fire_due(at_second(60), 1, [](const DueSchedule&) {
        return DueDecision{at_second(70), at_second(40), false, false, {}};
    }));
    CHECK(fixture.find("a").last_nominal == at_second(50));
    value_of(fixture.schedules().fire_due(at_second(70), 1, [](const DueSchedule&) {
        return DueDecision{{}, at_second(70), true, false, {}};
    }));
    CHECK(fixture.find("a").last_nominal == at_second(70));
    CHECK(fixture.find("a").state == core::ScheduleState::completed);
    CHECK(fixture.find("a").version == 1);
}

TEST_CASE_TEMPLATE("a decision knows what is alive, and can end it", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    auto other = schedule_of("b");
    other.next_at = at_second(61);
    fixture.create(other);
    const auto host = fixture.host();
    const auto running = fixture.running("a", at_second(1), host);
    const auto queued = fixture.insert("a", {run_of(schedule, at_second(2)), run_of(schedule, at_second(3), RunState::waiting),
                                             run_of(schedule, at_second(4), RunState::skipped)});
    const auto others = fixture.insert("b", {run_of(other, at_second(2))});
    const auto fired = value_of(fixture.schedules().fire_due(at_second(60), 10, [&](const DueSchedule& due) {
        CHECK(due.live == 3);
        CHECK(due.queued == 2);
        auto decision = fire_once(due);
        decision.cancel_live = true;
        return decision;
    }));
    CHECK(fixture.run(running.run_id).cancel_requested);
    CHECK(fixture.run(running.run_id).state == RunState::running);
    for (const int i : {0, 1}) {
        CHECK(fixture.run(queued[static_cast<std::size_t>(i)].run_id).state == RunState::cancelled);
        CHECK(fixture.run(queued[static_cast<std::size_t>(i)].run_id).reason == SlotReason::superseded);
    }
    CHECK(fixture.run(queued[2].run_id) == queued[2]);
    CHECK(fixture.run(others[0].run_id) == others[0]);
    CHECK(fixture.run(fired.rows.at(0).run_id).state == RunState::pending);
}

TEST_CASE_TEMPLATE("a decision knows when what it depends on last succeeded", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    for (const char* id : {"a", "b", "gone"}) fixture.create(schedule_of(id));
    fixture.create(after("last", {"a", "b", "gone"}));
    const auto host = fixture.host();
    fixture.ended("a", at_second(1), RunState::success, at_second(5), host);
    fixture.ended("a", at_second(2), RunState::success, at_second(4), host);
    fixture.ended("b", at_second(1), RunState::failed, at_second(9), host);
    fixture.ended("gone", at_second(1), RunState::success, at_second(5), host);
    fixture.ended("last", at_second(7), RunState::success, at_second(8), host);
    value_of(fixture.schedules().remove("gone", "", false, true, at_second(9)));
    ports::DependencyFacts facts;
    value_of(fixture.schedules().fire_due(at_second(60), 10, [&](const DueSchedule& due) {
        if (due.schedule.schedule_id == "last") facts = due.facts;
        return DueDecision{};
    }));
    REQUIRE(facts.succeeded_at.size() == 3);
    CHECK(facts.succeeded_at.at("a") == at_second(5));
    CHECK_FALSE(facts.succeeded_at.at("b").has_value());
    CHECK_FALSE(facts.succeeded_at.at("gone").has_value());
    CHECK(facts.own_success_started_at == at_second(7));
}

TEST_CASE_TEMPLATE("two hosts never make one slot twice", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    constexpr int schedules = 40, minutes = 5;
    for (int i = 0; i < schedules; ++i) fixture.create(schedule_of("s" + std::to_string(i)));
    std::vector<core::Run> made[2];
    const auto work = [&](std::vector<core::Run>& rows) {
        const auto own = fixture.connect();
        store::SqlScheduleRepository repository{*own};
        for (;;) {
            auto fired = value_of(repository.fire_due(at_second(60 * minutes), 7, fire_once));
            std::ranges::copy(fired.rows, std::back_inserter(rows));
            const auto next = value_of(repository.next_due());
            if (next && *next > at_second(60 * minutes)) return;
        }
    };
    std::thread other{work, std::ref(made[0])};
    work(made[1]);
    other.join();
    std::set<std::pair<std::string, core::Instant>> slots;
    for (const auto& rows : made) {
        for (const auto& row : rows) CHECK(slots.emplace(row.schedule_id, row.nominal_at).second);
    }
    CHECK(slots.size() == schedules * minutes);
    CHECK(value_of(fixture.runs().count_pending()) == schedules * minutes);
}

TEST_CASE_TEMPLATE("a schedule that somebody broke by hand keeps no other from running", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    fixture.create(schedule_of("b"));
    value_of(fixture.database().impl().write("a test", [](store::Session& session) {
        session.exec("UPDATE schedules SET trigger = '{\"every\":' WHERE schedule_id = 'a'");
    }));
    const auto fired = value_of(fixture.schedules().fire_due(at_second(60), 10, fire_once));
    REQUIRE(fired.rows.size() == 1);
    CHECK(fired.rows[0].schedule_id == "b");
    const auto broken = fixture.schedules().find("a", "");
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().code == core::Errc::database_failed);
    CHECK(broken.error().context.find("schedule a: its trigger in the database cannot be read") != std::string::npos);
}

TEST_CASE_TEMPLATE("waiting runs are released or left out as it is decided, oldest first", On, ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    fixture.create(schedule_of("a"));
    const auto host = fixture.host();
    fixture.ended("a", at_second(1), RunState::success, at_second(5), host);
    const auto schedule = fixture.create(after("b", {"a"}));
    std::vector<core::Run> waiting;
    for (const int second : {10, 11, 12, 13, 14}) {
        waiting.push_back(run_of(schedule, at_second(second), RunState::waiting));
        waiting.back().start_by = at_second(second == 13 ? 19 : 100);
    }
    waiting = fixture.insert("b", waiting);
    using What = ports::WaitingDecision::What;
    std::vector<std::int64_t> asked;
    const auto changed = value_of(fixture.schedules().settle_waiting(at_second(20), 3, [&](const ports::WaitingRun& one) {
        asked.push_back(one.run.run_id);
        CHECK(one.schedule.schedule_id == "b");
        CHECK(one.facts.succeeded_at.at("a") == at_second(5));
        if (asked.size() == 1) return ports::WaitingDecision{};
        return asked.size() == 2 ? ports::WaitingDecision{What::release, ""} : ports::WaitingDecision{What::skip, "a failed"};
    }));
    CHECK(changed == 2);
    CHECK(asked == std::vector{waiting[0].run_id, waiting[1].run_id, waiting[2].run_id});
    CHECK(fixture.run(waiting[0].run_id) == waiting[0]);
    const auto released = fixture.run(waiting[1].run_id);
    CHECK(released.state == RunState::pending);
    CHECK(released.run_at == at_second(20));
    CHECK_FALSE(released.start_by.has_value());
    const auto skipped = fixture.run(waiting[2].run_id);
    CHECK(skipped.state == RunState::skipped);
    CHECK(skipped.reason == SlotReason::dependency_not_met);
    CHECK(skipped.detail == "a failed");
    CHECK(skipped.finished_at == at_second(20));
    asked.clear();
    value_of(fixture.schedules().settle_waiting(at_second(20), 10, [&](const ports::WaitingRun& one) {
        asked.push_back(one.run.run_id);
        return ports::WaitingDecision{};
    }));
    CHECK(asked == std::vector{waiting[0].run_id, waiting[4].run_id});  // the one between is past its start_by
}

TEST_CASE_TEMPLATE("a waiting run knows how many are ahead of it, also those that were released just before", On,
                   ON_EACH_ENGINE) {
    Schedules<On> fixture;
    if (!fixture.ready()) return;
    const auto schedule = fixture.create(schedule_of("a"));
    const auto other = fixture.create(schedule_of("b"));
    fixture.running("a", at_second(1), fixture.host());
    fixture.insert("a", {run_of(schedule, at_second(2)), run_of(schedule, at_second(3), RunState::waiting),
                         run_of(schedule, at_second(4), RunState::waiting)});
    fixture.insert("b", {run_of(other, at_second(5), RunState::waiting)});
    std::vector<std::pair<std::string, int>> ahead;
    const auto changed = value_of(fixture.schedules().settle_waiting(at_second(9), 10, [&](const ports::WaitingRun& one) {
        ahead.emplace_back(one.run.schedule_id, one.ahead);
        return ports::WaitingDecision{ports::WaitingDecision::What::release, ""};
    }));
    CHECK(changed == 3);
    CHECK(ahead == std::vector<std::pair<std::string, int>>{{"a", 2}, {"a", 3}, {"b", 0}});
}
