#include "schedule/event_decision.hpp"
#include "due_fixture.hpp"
#include "schedule/slot_preview.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace varde;
using core::SlotReason;
using due::at;
using Effect = ports::HeededEvent::Effect;

namespace {

/// A deletion at 12:00 that user_reactivated cancels and user_delayed moves, of user 42.
core::Schedule deletion() {
    auto schedule = due::cron("");
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::once;
    schedule.trigger.at = at("2026-05-01T12:00:00Z");
    schedule.trigger.cancel_on = {{"user_reactivated", R"({"user_id":"42"})"}};
    schedule.trigger.move_on = {{{"user_delayed", R"({"user_id":"42"})"}, "run_at"}};
    schedule.next_at = schedule.trigger.at;
    return schedule;
}

/// A schedule with the events that it has not been asked about.
struct Called {
    std::deque<core::Event> events;
    ports::DueSchedule due;

    explicit Called(core::Schedule schedule = deletion()) { due.schedule = std::move(schedule); }
    Called& add(std::string category, std::string payload, std::string org = "default") {
        auto& event = events.emplace_back();
        event.seq = std::ssize(events);
        event.event_id = "e" + std::to_string(events.size());
        event.category = std::move(category);
        event.payload = std::move(payload);
        event.scope.org_id = std::move(org);
        due.events.push_back(&event);
        return *this;
    }
    Called& reactivated(std::string user = "42") { return add("user_reactivated", R"({"user_id":")" + user + R"("})"); }
    Called& delayed(std::string run_at) { return add("user_delayed", R"({"user_id":"42","run_at":")" + run_at + R"("})"); }
};

const auto before = at("2026-05-01T11:00:00Z");
const auto noon = at("2026-05-01T12:00:00Z");

}  // namespace

TEST_CASE("an event cancels a one-off before its time, and the row names it") {
    Called called;
    called.reactivated();
    const auto decision = schedule::decide_called(called.due, before);
    CHECK(decision.completed);
    CHECK_FALSE(decision.next_at.has_value());
    CHECK_FALSE(decision.last_nominal.has_value());
    REQUIRE(decision.runs.size() == 1);
    const auto& row = decision.runs[0];
    CHECK(row.state == core::RunState::skipped);
    CHECK(row.reason == SlotReason::event);
    CHECK(row.detail == "cancelled by user_reactivated, event e1");
    CHECK(row.nominal_at == noon);
    CHECK(row.finished_at == before);
    REQUIRE(decision.heeded.size() == 1);
    CHECK(decision.heeded[0].effect == Effect::cancelled);
    CHECK(decision.heeded[0].event_id == "e1");
    CHECK(decision.heeded[0].from == noon);
}

TEST_CASE("a due one-off is cancelled by an event that was stored before, and runs if there is none") {
    Called called;
    called.reactivated("7").add("user_reactivated", R"({"user_id":"42"})", "acme");
    const auto ran = schedule::decide(called.due, noon, false);
    CHECK(due::fires(ran) == std::vector{noon});
    CHECK(ran.completed);
    CHECK(ran.heeded.empty());
    called.reactivated();
    const auto cancelled = schedule::decide(called.due, noon, false);
    CHECK(due::fires(cancelled).empty());
    CHECK(due::left_out(cancelled, SlotReason::event).size() == 1);
    CHECK(cancelled.last_nominal == noon);
    CHECK(cancelled.completed);
}

TEST_CASE("the newest event that moves a one-off gives it its time") {
    Called called;
    called.delayed("2026-05-02T12:00:00Z").delayed("2026-05-01T10:00:00+02:00").delayed("2026-05-03T09:00:00+02:00");
    const auto decision = schedule::decide_called(called.due, before);
    const auto to = at("2026-05-03T07:00:00Z");
    CHECK(decision.next_at == to);
    CHECK(decision.moved_to == to);
    CHECK_FALSE(decision.completed);
    REQUIRE(decision.runs.size() == 1);
    CHECK(decision.runs[0].reason == SlotReason::event);
    CHECK(decision.runs[0].nominal_at == noon);
    CHECK(decision.runs[0].detail == "moved to 2026-05-03T07:00:00Z by user_delayed, event e3");
    REQUIRE(decision.heeded.size() == 1);
    CHECK(decision.heeded[0].effect == Effect::moved);
    CHECK(decision.heeded[0].to == to);
}

TEST_CASE("a one-off that is due and has been moved does not run now") {
    Called called;
    called.delayed("2026-05-01T12:00:05Z");
    const auto decision = schedule::decide(called.due, noon, false);
    CHECK(due::fires(decision).empty());
    CHECK(decision.next_at == at("2026-05-01T12:00:05Z"));
}

TEST_CASE("a new time that has passed is now; one that is the same changes nothing") {
    Called past;
    past.delayed("2020-01-01T00:00:00Z");
    CHECK(schedule::decide_called(past.due, before).moved_to == before);
    Called same;
    same.delayed("2026-05-01T14:00:00+02:00");
    const auto decision = schedule::decide_called(same.due, before);
    CHECK_FALSE(decision.moved_to.has_value());
    CHECK(decision.next_at == noon);
    CHECK(decision.runs.empty());
}

TEST_CASE("an event that cancels wins over those that move, whichever came first") {
    Called called;
    called.delayed("2026-05-02T12:00:00Z").reactivated().delayed("2026-05-03T12:00:00Z");
    const auto decision = schedule::decide_called(called.due, before);
    CHECK(decision.completed);
    CHECK_FALSE(decision.moved_to.has_value());
    REQUIRE(decision.heeded.size() == 1);
    CHECK(decision.heeded[0].event_id == "e2");
}

TEST_CASE("a new time that cannot be used leaves the one-off alone and says why, without the payload") {
    auto schedule = deletion();
    schedule.policy.ends_at = at("2026-05-10T00:00:00Z");
    Called called{schedule};
    called.delayed("soon-or-never").delayed("2026-05-10T00:00:00Z");
    called.add("user_delayed", R"({"user_id":"42","run_at":5})").add("user_delayed", R"({"user_id":"42"})");
    const auto decision = schedule::decide_called(called.due, before);
    CHECK(decision.next_at == noon);
    CHECK_FALSE(decision.moved_to.has_value());
    CHECK(decision.runs.empty());
    std::vector<std::string> problems;
    for (const auto& what : decision.heeded) {
        CHECK(what.effect == Effect::refused);
        problems.push_back(what.problem);
    }
    CHECK(problems == std::vector<std::string>{"its payload's run_at is no time such as 2026-05-01T08:00:00Z",
                                               "its payload's run_at lies outside of starts_at and ends_at",
                                               "its payload's run_at is no text", "its payload's run_at is missing"});
    const auto fired = schedule::decide(called.due, noon, false);
    CHECK(due::fires(fired) == std::vector{noon});
    CHECK(fired.heeded.size() == 4);
}

TEST_CASE("while there are events that it has not seen, a one-off neither runs nor moves") {
    Called called;
    called.delayed("2026-05-02T12:00:00Z");
    called.due.more_events = true;
    const auto decision = schedule::decide(called.due, noon, false);
    CHECK(decision.runs.empty());
    CHECK(decision.next_at == noon);
    CHECK_FALSE(decision.completed);
    CHECK_FALSE(decision.moved_to.has_value());
    called.reactivated();
    CHECK(schedule::decide(called.due, noon, false).completed);
}

TEST_CASE("events call those who listen to them: of their organisation, stored since, each once") {
    Called called;
    called.add("door", R"({"state":"open"})").add("door", R"({"state":"closed"})").add("door", R"({"state":"open"})", "acme");
    const std::vector<core::Event> events{called.events.begin(), called.events.end()};
    const std::vector<ports::EventListener> listeners{
        {"all", "default", {"door", "{}"}, 0},    {"opened", "default", {"door", R"({"state":"open"})"}, 0},
        {"later", "default", {"door", "{}"}, 2},  {"acme", "acme", {"door", R"({"state":"open"})"}, 2},
        {"other", "acme", {"window", "{}"}, 0},   {"ajar", "default", {"door", R"({"state":"ajar"})"}, 0},
        {"second", "default", {"door", "{}"}, 1}, {"all", "default", {"door", R"({"state":"closed"})"}, 0},
    };
    CHECK(schedule::called_by(events, listeners) == std::vector<std::string>{"acme", "all", "opened", "second"});
    CHECK(schedule::called_by({}, listeners).empty());
}

TEST_CASE("the host's own schedules, of no organisation, hear of all of them") {
    Called called;
    called.add("door", "{}", "acme").add("door", R"({"state":"open"})", "other");
    const std::vector<core::Event> events{called.events.begin(), called.events.end()};
    const std::vector<ports::EventListener> listeners{{"rules:R-002", "", {"door", "{}"}, 0},
                                                      {"rules:R-003", "", {"door", R"({"state":"open"})"}, 0},
                                                      {"rules:R-004", "", {"window", "{}"}, 0}};
    CHECK(schedule::called_by(events, listeners) == std::vector<std::string>{"rules:R-002", "rules:R-003"});
}

TEST_CASE("listeners are called by what they ask for, however many ask for something else") {
    Called called;
    called.reactivated("7").add("user_reactivated", R"({"user_id":7.0,"n":true})").add("user_reactivated", "[]");
    const std::vector<core::Event> events{called.events.begin(), called.events.end()};
    std::vector<ports::EventListener> listeners;
    for (int user = 0; user < 300; ++user) {
        const auto id = std::to_string(user);
        listeners.push_back({"text-" + id, "default", {"user_reactivated", R"({"user_id":")" + id + R"("})"}, 0});
        listeners.push_back({"number-" + id, "default", {"user_reactivated", R"({"n":true,"user_id":)" + id + "}"}, 0});
    }
    listeners.push_back({"all", "default", {"user_reactivated", "{}"}, 2});
    CHECK(schedule::called_by(events, listeners) == std::vector<std::string>{"all", "number-7", "text-7"});
}

TEST_CASE("a preview and an explanation tell what may cancel or move a one-off") {
    const auto condition = "unless an event cancels it (user_reactivated) or moves it (user_delayed)";
    CHECK(schedule::condition_of(deletion().trigger) == condition);
    const auto slots = schedule::preview_slots(deletion(), before, 5).value();
    REQUIRE(slots.size() == 1);
    CHECK(slots[0].fires);
    CHECK(slots[0].text == condition);
    const auto told = schedule::explain_slot(deletion(), {}, noon, before);
    CHECK(told.answer == "due_later");
    CHECK(told.text == std::string{"it is a slot, and it is to come, "} + condition);
    auto plain = deletion();
    plain.trigger.cancel_on.clear();
    CHECK(schedule::condition_of(plain.trigger) == "unless an event moves it (user_delayed)");
    plain.trigger.move_on.clear();
    CHECK(schedule::condition_of(plain.trigger).empty());
}

TEST_CASE("an explanation tells what an event did") {
    Called called;
    called.reactivated();
    auto schedule = deletion();
    schedule.state = core::ScheduleState::completed;
    ports::RunRepository::Around around;
    around.at_or_before = schedule::decide_called(called.due, before).runs.at(0);
    const auto told = schedule::explain_slot(schedule, around, noon, before);
    CHECK(told.answer == "event");
    CHECK(
        told.text ==
        "the slot of 2026-05-01T12:00:00Z was not run: an event cancelled or moved it (cancelled by user_reactivated, event e1)");
}
