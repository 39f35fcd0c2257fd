#include "schedule/schedule_edits.hpp"

#include "due_fixture.hpp"
#include "schedule/slot_preview.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using core::Errc;
using core::ScheduleState;
using core::SlotReason;
using ports::ScheduleAction;

namespace {

const core::Instant noon = due::at("2026-01-15T12:00:00Z");

/// Every minute, the next slot at noon.
core::Schedule minute() {
    auto schedule = due::every(60s, noon);
    schedule.created_at = noon - 1h;
    schedule.next_at = noon;
    schedule.last_nominal = noon - 60s;
    return schedule;
}

}  // namespace

TEST_CASE("a schedule begins with the first slot after now; what can never fire is refused") {
    const auto begun = schedule::begun(due::cron("0 * * * *"), noon - 1s);
    CHECK(begun->next_at == noon);
    CHECK(begun->created_at == noon - 1s);
    CHECK(schedule::begun(due::cron("0 0 31 4 *"), noon).error().code == Errc::invalid_argument);
    auto past = due::cron("0 * * * *");
    past.policy.ends_at = noon;
    CHECK(schedule::begun(past, noon).error().context == "trigger: no time of it lies in the future");
}

TEST_CASE("a one-off whose time has just passed is run; one of long ago is refused") {
    core::Schedule once;
    once.trigger.kind = core::TriggerKind::once;
    once.trigger.at = noon;
    CHECK(schedule::begun(once, noon + 1s)->next_at == noon);
    CHECK(schedule::begun(once, noon - 1s)->next_at == noon);
    CHECK_FALSE(schedule::begun(once, noon + 2h).has_value());
}

TEST_CASE("manual and event schedules begin without a slot; a fixed delay begins at once") {
    core::Schedule manual;
    CHECK_FALSE(schedule::begun(manual, noon)->next_at.has_value());
    auto delay = due::every(60s, noon);
    delay.trigger.after_completion = true;
    CHECK(schedule::begun(delay, noon + 5s)->next_at == noon + 5s);
}

TEST_CASE("an edit that does not touch the trigger keeps the cursor, due or not") {
    const auto current = minute();
    auto wanted = current;
    wanted.params = R"({"sleep":"1s"})";
    wanted.policy.priority = 5;
    for (const auto now : {noon - 1s, noon, noon + 30s}) {
        const auto result = schedule::edited(current, wanted, now);
        CHECK(result->schedule.next_at == noon);
        CHECK(result->schedule.generation == 1);
        CHECK(result->schedule.policy.priority == 5);
        CHECK(result->runs.empty());
    }
}

TEST_CASE("a new trigger begins a new generation: no slot of the past, and none that was due is lost") {
    const auto current = minute();
    auto wanted = current;
    wanted.trigger = due::cron("30 * * * *").trigger;
    const auto before = schedule::edited(current, wanted, noon - 1s);
    CHECK(before->schedule.generation == 2);
    CHECK(before->schedule.next_at == noon + 30min);
    const auto due = schedule::edited(current, wanted, noon + 1s);
    CHECK(due->schedule.next_at == noon);
    CHECK(due->schedule.last_nominal == noon - 60s);
    // A clock that went back does not bring back what is behind the cursor.
    auto ahead = current;
    ahead.last_nominal = noon + 40min;
    ahead.next_at = noon + 41min;
    CHECK(schedule::edited(ahead, wanted, noon)->schedule.next_at == noon + 90min);
}

TEST_CASE("a completed schedule goes on with a new trigger") {
    auto completed = minute();
    completed.state = ScheduleState::completed;
    completed.next_at.reset();
    auto wanted = completed;
    CHECK(schedule::edited(completed, wanted, noon)->schedule.state == ScheduleState::completed);
    wanted.trigger = due::cron("30 * * * *").trigger;
    const auto result = schedule::edited(completed, wanted, noon);
    CHECK(result->schedule.state == ScheduleState::active);
    CHECK(result->schedule.next_at == noon + 30min);
}

TEST_CASE("a pause keeps the cursor; resuming leaves the slots out with a row, or lets the due loop decide") {
    auto paused = schedule::acted(minute(), ScheduleAction::pause, noon - 30s)->schedule;
    CHECK(paused.state == ScheduleState::paused);
    CHECK(paused.next_at == noon);
    const auto skipped = schedule::acted(paused, ScheduleAction::resume_skip, noon + 150s);
    CHECK(skipped->schedule.state == ScheduleState::active);
    CHECK(skipped->schedule.next_at == noon + 180s);
    REQUIRE(skipped->runs.size() == 1);
    const auto& row = skipped->runs.front();
    CHECK(row.state == core::RunState::skipped);
    CHECK(row.reason == SlotReason::paused);
    CHECK(row.slots == 3);
    CHECK(row.nominal_from == noon);
    CHECK(row.nominal_at == noon + 120s);
    const auto kept = schedule::acted(paused, ScheduleAction::resume_catch_up, noon + 150s);
    CHECK(kept->schedule.next_at == noon);
    CHECK(kept->runs.empty());
    // Nothing passed meanwhile.
    CHECK(schedule::acted(paused, ScheduleAction::resume_skip, noon - 1s)->runs.empty());
}

TEST_CASE("disabling cancels what waits; enabling starts with the next slot and says what was left out") {
    const auto off = schedule::acted(minute(), ScheduleAction::disable, noon - 30s);
    CHECK(off->schedule.state == ScheduleState::disabled);
    CHECK(off->cancel_queued == SlotReason::disabled);
    const auto on = schedule::acted(off->schedule, ScheduleAction::enable, noon + 30s);
    CHECK(on->schedule.next_at == noon + 60s);
    CHECK(on->runs.front().reason == SlotReason::disabled);
    CHECK(schedule::acted(off->schedule, ScheduleAction::disable, noon)->schedule.state == ScheduleState::disabled);
    CHECK(schedule::acted(off->schedule, ScheduleAction::pause, noon).error().code == Errc::conflict);
    CHECK(schedule::acted(off->schedule, ScheduleAction::resume_skip, noon).error().code == Errc::conflict);
}

TEST_CASE("a definition can switch a schedule off and on too, and a pause outlives an edit") {
    auto wanted = minute();
    wanted.state = ScheduleState::disabled;
    const auto off = schedule::edited(minute(), wanted, noon - 1s);
    CHECK(off->schedule.state == ScheduleState::disabled);
    wanted.state = ScheduleState::active;
    CHECK(schedule::edited(off->schedule, wanted, noon + 30s)->schedule.next_at == noon + 60s);
    auto paused = minute();
    paused.state = ScheduleState::paused;
    CHECK(schedule::edited(paused, wanted, noon)->schedule.state == ScheduleState::paused);
}

TEST_CASE("after a change of time zone rules what is to come is computed anew, and what is due already stays") {
    auto wall = due::cron("0 3 * * *", "Europe/Oslo");
    wall.next_at = due::at("2026-11-23T03:00:00Z");  // as if Oslo had been at UTC
    wall.last_nominal = due::at("2026-11-22T02:00:00Z");
    auto early = wall;
    schedule::follow_clock(early, {}, due::at("2026-11-22T12:00:00Z"));
    CHECK(early.next_at == due::at("2026-11-23T02:00:00Z"));
    auto late = wall;
    schedule::follow_clock(late, {}, due::at("2026-11-23T03:00:01Z"));
    CHECK(late.next_at == wall.next_at);
    auto between = wall;  // the hour that it would have run at has just passed: nothing is fired back
    schedule::follow_clock(between, {}, due::at("2026-11-23T02:30:00Z"));
    CHECK(between.next_at == due::at("2026-11-24T02:00:00Z"));
    CHECK(between.generation == wall.generation);
}

TEST_CASE("a preview tells of slots, gaps, windows and the end") {
    auto schedule = due::cron("30 2 * * *", "America/New_York");
    const auto spring = schedule::preview_slots(schedule, due::at("2024-03-09T12:00:00Z"), 2).value();
    REQUIRE(spring.size() == 2);
    CHECK(spring[0].nominal_at == due::at("2024-03-10T07:00:00Z"));
    CHECK(spring[0].reason == "end_of_gap");
    CHECK(spring[1].reason == "natural");
    schedule.policy.ends_at = due::at("2024-03-11T00:00:00Z");
    CHECK(schedule::preview_slots(schedule, due::at("2024-03-09T12:00:00Z"), 5)->size() == 1);
    auto windowed = minute();
    windowed.policy.window_since = noon + 60s;
    const auto lines = schedule::preview_slots(windowed, noon - 1s, 2).value();
    CHECK_FALSE(lines[0].fires);
    CHECK(lines[0].reason == "outside_window");
    CHECK(lines[1].fires);
    CHECK(schedule::preview_slots(windowed, noon, 0).error().context == "count must be 1 to 1000");
}

TEST_CASE("why a schedule ran or did not run is told from its rows, its state and its trigger") {
    const auto schedule = minute();
    core::Run row;
    row.run_id = 9;
    row.state = core::RunState::skipped;
    row.reason = SlotReason::misfire;
    row.nominal_from = noon - 10min;
    row.nominal_at = noon - 60s;
    row.slots = 10;
    const auto explain = [&](core::Instant at, std::optional<core::Run> before, const core::Schedule& of) {
        return schedule::explain_slot(of, {std::move(before), std::nullopt}, at, noon + 30s);
    };
    const auto missed = explain(noon - 5min, row, schedule);
    CHECK(missed.answer == "misfire");
    CHECK(missed.run_id == 9);
    const std::string tale = "10 slots from 2026-01-15T11:50:00Z to 2026-01-15T11:59:00Z were not run: ";
    CHECK(missed.text == tale + "nobody could start it within its grace, and the catch-up policy leaves it out");
    CHECK(explain(noon + 60s, row, schedule).answer == "due_later");
    CHECK(explain(noon, row, schedule).answer == "not_decided");
    CHECK(explain(noon + 10s, row, schedule).answer == "not_due");
    CHECK(explain(noon - 2h, std::nullopt, schedule).answer == "not_created");
    auto paused = schedule;
    paused.state = ScheduleState::paused;
    CHECK(explain(noon, row, paused).answer == "paused");
    row.state = core::RunState::success;
    row.reason = SlotReason::none;
    row.nominal_from.reset();
    row.slots = 1;
    row.started_at = noon - 59s;
    const auto ran = explain(noon - 60s, row, schedule);
    CHECK(ran.answer == "success");
    CHECK(ran.text == "run 9 of the slot of 2026-01-15T11:59:00Z: success, started 1.000 s after its time");
}
