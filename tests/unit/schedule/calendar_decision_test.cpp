#include "calendar_fixture.hpp"
#include "schedule/schedule_edits.hpp"
#include "schedule/slot_preview.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using core::CalendarRoll;
using core::SlotReason;
using Times = std::vector<std::string>;

namespace {

ports::DueSchedule due_at(core::Schedule schedule, std::string_view next, core::Calendars calendars) {
    schedule.created_at = due::at("2026-01-01T00:00:00Z");
    schedule.next_at = due::at(next);
    return {std::move(schedule), 0, 0, {}, std::move(calendars)};
}

}  // namespace

TEST_CASE("a slot on an excluded day is one row that names the calendar, and the cursor goes on") {
    const auto one = due_at(due::without(due::cron("0 9 * * *"), {due::holidays()}), "2026-12-24T09:00:00Z", {due::holidays()});
    const auto decision = schedule::decide(one, due::at("2026-12-24T09:00:01Z"), false);
    CHECK(due::fires(decision).empty());
    REQUIRE(decision.runs.size() == 1);
    CHECK(decision.runs[0].state == core::RunState::skipped);
    CHECK(decision.runs[0].reason == SlotReason::excluded);
    CHECK(decision.runs[0].nominal_at == due::at("2026-12-24T09:00:00Z"));
    CHECK(decision.runs[0].detail == "calendar 'Public holidays' excludes 2026-12-24");
    CHECK(decision.next_at == due::at("2026-12-25T09:00:00Z"));
    CHECK(decision.last_nominal == due::at("2026-12-24T09:00:00Z"));
    CHECK_FALSE(decision.completed);
}

TEST_CASE("after days away the excluded slots are one row, and catching up takes one of the others") {
    const core::Calendars both{due::weekend(), due::holidays()};
    const auto one = due_at(due::without(due::cron("0 9 * * *"), both), "2026-12-22T09:00:00Z", both);
    const auto decision = schedule::decide(one, due::at("2026-12-27T12:00:00Z"), false);
    CHECK(due::fires(decision) == std::vector{due::at("2026-12-23T09:00:00Z")});
    const auto excluded = due::left_out(decision, SlotReason::excluded);
    REQUIRE(excluded.size() == 1);
    CHECK(excluded[0].slots == 4);
    CHECK(excluded[0].nominal_from == due::at("2026-12-24T09:00:00Z"));
    CHECK(excluded[0].nominal_at == due::at("2026-12-27T09:00:00Z"));
    CHECK(due::left_out(decision, SlotReason::misfire).at(0).nominal_at == due::at("2026-12-22T09:00:00Z"));
    CHECK(decision.last_nominal == due::at("2026-12-27T09:00:00Z"));
}

TEST_CASE("a schedule that includes a calendar that is gone does not stop in silence: each slot has a row that says why") {
    auto hourly = due::cron("0 * * * *");
    hourly.policy.calendars.include = {"gone"};
    const auto decision = schedule::decide(due_at(hourly, "2026-12-24T09:00:00Z", {}), due::at("2026-12-24T09:00:01Z"), false);
    CHECK(due::left_out(decision, SlotReason::excluded).at(0).detail == "there is no calendar 'gone'");
    CHECK(decision.next_at == due::at("2026-12-24T10:00:00Z"));
}

TEST_CASE("intervals, one-offs and events go by the day of UTC") {
    const core::Calendars holidays{due::holidays()};
    auto often = due::without(due::every(6h, due::at("2026-12-24T05:00:00Z")), holidays);
    auto decision = schedule::decide(due_at(often, "2026-12-23T23:00:00Z", holidays), due::at("2026-12-23T23:00:00Z"), false);
    CHECK(due::fires(decision).size() == 1);
    decision = schedule::decide(due_at(often, "2026-12-24T05:00:00Z", holidays), due::at("2026-12-24T05:00:00Z"), false);
    CHECK(due::left_out(decision, SlotReason::excluded).size() == 1);

    auto once = due::without(due::cron(""), holidays);
    once.trigger.kind = core::TriggerKind::once;
    once.trigger.at = due::at("2026-12-25T12:00:00Z");
    decision = schedule::decide(due_at(once, "2026-12-25T12:00:00Z", holidays), once.trigger.at, false);
    CHECK(due::left_out(decision, SlotReason::excluded).size() == 1);
    CHECK(decision.completed);

    auto event = due::without(due::cron(""), holidays);
    event.trigger.kind = core::TriggerKind::event;
    event.trigger.event.category = "door";
    decision = schedule::decide(due_at(event, "2026-12-25T12:00:00Z", holidays), due::at("2026-12-25T12:00:00Z"), false);
    CHECK(due::left_out(decision, SlotReason::excluded).size() == 1);
    CHECK_FALSE(decision.next_at.has_value());
    CHECK_FALSE(decision.completed);
}

TEST_CASE("a fixed delay goes on over an excluded day, a period at a time") {
    const core::Calendars holidays{due::holidays()};
    auto delay = due::without(due::every(6h, due::at("2026-12-24T00:00:00Z")), holidays);
    delay.trigger.after_completion = true;
    const auto decision =
        schedule::decide(due_at(delay, "2026-12-24T05:00:00Z", holidays), due::at("2026-12-24T05:00:02Z"), false);
    CHECK(due::left_out(decision, SlotReason::excluded).size() == 1);
    CHECK(decision.next_at == due::at("2026-12-24T11:00:02Z"));
}

TEST_CASE("rolled slots are run at their new times, and what has no day to move to is a row") {
    const core::Calendars weekend{due::weekend()};
    const auto weekly = due::without(due::cron("0 9 * * SAT"), weekend, CalendarRoll::next);
    auto decision = schedule::decide(due_at(weekly, "2026-12-21T09:00:00Z", weekend), due::at("2026-12-21T09:00:00Z"), false);
    CHECK(due::fires(decision) == std::vector{due::at("2026-12-21T09:00:00Z")});
    CHECK(decision.next_at == due::at("2026-12-28T09:00:00Z"));

    const core::Calendars always{due::calendar("always", R"("dates":[{"first":"1970-01-01","last":"2199-12-31"}])")};
    const auto never = due::without(due::cron("0 9 * * *"), always, CalendarRoll::next);
    decision = schedule::decide(due_at(never, "2026-12-21T09:00:00Z", always), due::at("2026-12-21T09:00:00Z"), false);
    CHECK(due::left_out(decision, SlotReason::excluded).size() == 1);
    CHECK(decision.next_at == due::at("2026-12-22T09:00:00Z"));
    CHECK_FALSE(decision.completed);
}

TEST_CASE("a preview shows excluded slots with their calendar, and rolled ones with the day they come from") {
    const core::Calendars both{due::weekend(), due::holidays()};
    auto daily = due::without(due::cron("0 9 * * *"), both);
    auto slots = schedule::preview_slots(daily, due::at("2026-12-23T00:00:00Z"), 4, both).value();
    CHECK(slots[0].reason == "natural");
    CHECK(slots[1].reason == "excluded");
    CHECK_FALSE(slots[1].fires);
    CHECK(slots[1].text == "calendar 'Public holidays' excludes 2026-12-24");
    CHECK(slots[3].text == "calendar 'weekend' excludes 2026-12-26");

    daily.policy.calendars.roll = CalendarRoll::next;
    slots = schedule::preview_slots(daily, due::at("2026-12-23T00:00:00Z"), 3, both).value();
    CHECK(slots[0].text.empty());
    CHECK(slots[1].nominal_at == due::at("2026-12-28T09:00:00Z"));
    CHECK(slots[1].reason == "natural");
    CHECK(slots[1].text ==
          "also stands for what moved from 2026-12-24, 2026-12-25, 2026-12-26, 2026-12-27 (calendar 'Public holidays' "
          "excludes 2026-12-24)");

    daily.trigger.expression = "0 9 24 12 *";
    daily.trigger.zone = "Europe/Oslo";
    daily.policy.calendars.roll = CalendarRoll::previous;
    slots = schedule::preview_slots(daily, due::at("2026-12-01T00:00:00Z"), 1, both).value();
    CHECK(slots[0].nominal_at == due::at("2026-12-23T08:00:00Z"));
    CHECK(slots[0].offset_seconds == 3600);
    CHECK(slots[0].reason == "rolled");
    CHECK(slots[0].text == "moved from 2026-12-24 (calendar 'Public holidays' excludes 2026-12-24)");
}

TEST_CASE("explain tells of a slot that will be left out, and of a time that has moved") {
    const core::Calendars holidays{due::holidays()};
    auto daily = due::without(due::cron("0 9 * * *"), holidays);
    daily.created_at = due::at("2026-01-01T00:00:00Z");
    const auto now = due::at("2026-12-01T00:00:00Z");
    auto said = schedule::explain_slot(daily, {}, due::at("2026-12-25T09:00:00Z"), now, holidays);
    CHECK(said.answer == "excluded");
    CHECK(said.text == "it is a slot to come that will be left out: calendar 'Public holidays' excludes 2026-12-25");
    CHECK(schedule::explain_slot(daily, {}, due::at("2026-12-23T09:00:00Z"), now, holidays).answer == "due_later");

    daily.policy.calendars.roll = CalendarRoll::next;
    said = schedule::explain_slot(daily, {}, due::at("2026-12-25T09:00:00Z"), now, holidays);
    CHECK(said.answer == "not_due");
    CHECK(said.text ==
          "2026-12-25T09:00:00Z is no slot of the schedule: calendar 'Public holidays' excludes 2026-12-25; its times come on "
          "2026-12-26 instead; the next one is 2026-12-26T09:00:00Z");
}

TEST_CASE("a schedule begins with its first rolled slot, and a rule that moves days is another trigger") {
    const core::Calendars holidays{due::holidays()};
    const auto daily = due::without(due::cron("0 9 24 * *"), holidays, CalendarRoll::next);
    const auto begun = schedule::begun(daily, due::at("2026-12-01T00:00:00Z"), holidays).value();
    CHECK(begun.next_at == due::at("2026-12-26T09:00:00Z"));

    auto skipping = begun;
    skipping.policy.calendars.roll = CalendarRoll::skip;
    auto changed = schedule::edited(begun, skipping, due::at("2026-12-02T00:00:00Z"), holidays).value();
    CHECK(changed.schedule.next_at == due::at("2026-12-24T09:00:00Z"));
    CHECK(changed.schedule.generation == begun.generation + 1);

    auto without = changed.schedule;
    without.policy.calendars = {};
    changed = schedule::edited(changed.schedule, without, due::at("2026-12-03T00:00:00Z"), holidays).value();
    CHECK(changed.schedule.next_at == due::at("2026-12-24T09:00:00Z"));
    CHECK(changed.schedule.generation == begun.generation + 1);
}

TEST_CASE("a changed calendar moves the cursor of what it moves, keeps what is due, and adds nothing before now") {
    const core::Calendars holidays{due::holidays()};
    auto one = due::without(due::cron("0 9 24 * *"), {due::holidays()}, CalendarRoll::next);
    one.next_at = due::at("2026-12-24T09:00:00Z");
    schedule::recompute(one, holidays, due::at("2026-12-01T00:00:00Z"));
    CHECK(one.next_at == due::at("2026-12-26T09:00:00Z"));

    one.next_at = due::at("2026-12-24T09:00:00Z");
    schedule::recompute(one, holidays, due::at("2026-12-24T09:00:00Z"));
    CHECK(one.next_at == due::at("2026-12-24T09:00:00Z"));  // it is due already

    one.policy.calendars.roll = CalendarRoll::previous;  // to a day that is over
    one.next_at = due::at("2026-12-24T09:00:00Z");
    schedule::recompute(one, holidays, due::at("2026-12-23T10:00:00Z"));
    CHECK(one.next_at == due::at("2027-01-24T09:00:00Z"));

    one.policy.calendars.roll = CalendarRoll::skip;
    one.next_at = due::at("2026-12-24T09:00:00Z");
    schedule::recompute(one, holidays, due::at("2026-12-01T00:00:00Z"));
    CHECK(one.next_at == due::at("2026-12-24T09:00:00Z"));

    one.policy.calendars.roll = CalendarRoll::next;
    one.policy.ends_at = due::at("2026-12-25T00:00:00Z");
    schedule::recompute(one, holidays, due::at("2026-12-01T00:00:00Z"));
    CHECK_FALSE(one.next_at.has_value());
    CHECK(one.state == core::ScheduleState::completed);
}
