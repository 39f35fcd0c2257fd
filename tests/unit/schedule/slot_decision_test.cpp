#include "due_fixture.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using core::Overlap;
using core::RunState;
using core::SlotReason;

namespace {

const core::Instant noon = due::at("2026-01-15T12:00:00Z");

core::Schedule minute(core::Instant cursor = noon) {
    auto schedule = due::every(60s, noon);
    schedule.next_at = cursor;
    schedule.created_at = noon - 24h;
    return schedule;
}

ports::DueDecision decide(core::Schedule schedule, core::Instant now, int live = 0, int queued = 0,
                          ports::DependencyFacts facts = {}) {
    return schedule::decide({std::move(schedule), live, queued, std::move(facts)}, now, false);
}

}  // namespace

TEST_CASE("a slot that is due becomes a pending run, and the cursor goes to the next one") {
    auto schedule = minute();
    schedule.policy.priority = 7;
    schedule.policy.queue = "slow";
    const auto decision = decide(schedule, noon + 5ms);
    REQUIRE(decision.runs.size() == 1);
    const auto& run = decision.runs.front();
    CHECK(run.nominal_at == noon);
    CHECK(run.run_at == noon);
    CHECK(run.state == RunState::pending);
    CHECK(run.kind == core::SlotKind::scheduled);
    CHECK(run.priority == 7);
    CHECK(run.queue == "slow");
    CHECK(run.job_kind == "noop");
    CHECK_FALSE(run.start_by.has_value());
    CHECK(decision.next_at == noon + 60s);
    CHECK(decision.last_nominal == noon);
    CHECK_FALSE(decision.completed);
}

TEST_CASE("of several timely slots the newest is run and the others are said to be coalesced") {
    auto schedule = minute(noon);
    schedule.policy.misfire_grace = 10min;
    const auto decision = decide(schedule, noon + 4min);
    CHECK(due::fires(decision) == std::vector{noon + 4min});
    const auto others = due::left_out(decision, SlotReason::coalesced);
    REQUIRE(others.size() == 1);
    CHECK(others.front().slots == 4);
    CHECK(others.front().nominal_from == noon);
    CHECK(others.front().nominal_at == noon + 3min);
    CHECK(others.front().state == RunState::skipped);
    CHECK(others.front().finished_at == noon + 4min);
}

TEST_CASE("without coalescing every timely slot is run, at most catch_up_max at once") {
    auto schedule = minute(noon);
    schedule.policy.misfire_grace = 10min;
    schedule.policy.coalesce = false;
    schedule.policy.max_instances = 100;
    CHECK(due::fires(decide(schedule, noon + 4min)) == std::vector{noon, noon + 1min, noon + 2min, noon + 3min, noon + 4min});
    schedule.policy.catch_up_max = 2;
    const auto decision = decide(schedule, noon + 4min);
    CHECK(due::fires(decision) == std::vector{noon + 3min, noon + 4min});
    CHECK(due::left_out(decision, SlotReason::coalesced).front().slots == 3);
}

TEST_CASE("a run of the schedule that is not over: the slot is left out, waits, or takes its place") {
    auto schedule = minute();
    CHECK(due::left_out(decide(schedule, noon, 1), SlotReason::overlap).size() == 1);
    CHECK(decide(schedule, noon, 1).next_at == noon + 60s);
    schedule.policy.max_instances = 2;
    CHECK(due::fires(decide(schedule, noon, 1)).size() == 1);
    schedule.policy.max_instances = 1;
    schedule.policy.overlap = Overlap::queue_one;
    CHECK(decide(schedule, noon, 1).runs.front().state == RunState::waiting);
    CHECK(due::left_out(decide(schedule, noon, 2, 1), SlotReason::overlap).size() == 1);
    schedule.policy.overlap = Overlap::queue_all;
    schedule.policy.max_queued = 2;
    CHECK(decide(schedule, noon, 2, 1).runs.front().state == RunState::waiting);
    CHECK(due::left_out(decide(schedule, noon, 3, 2), SlotReason::overlap).size() == 1);
    schedule.policy.overlap = Overlap::cancel_other;
    const auto taken = decide(schedule, noon, 1);
    CHECK(taken.cancel_live);
    CHECK(taken.runs.front().state == RunState::waiting);
}

TEST_CASE("cancel_other keeps the newest of several slots; the others are superseded, each with its row") {
    auto schedule = minute(noon);
    schedule.policy.misfire_grace = 10min;
    schedule.policy.coalesce = false;
    schedule.policy.overlap = Overlap::cancel_other;
    const auto decision = decide(schedule, noon + 2min);
    CHECK(due::fires(decision) == std::vector{noon + 2min});
    CHECK(due::left_out(decision, SlotReason::superseded).size() == 2);
}

TEST_CASE("slots outside of the execution window, or with no room to wait, are left out with that reason") {
    auto schedule = minute(noon);
    schedule.policy.window_since = noon + 90s;
    schedule.policy.misfire_grace = 10min;
    auto decision = decide(schedule, noon + 2min);
    CHECK(due::fires(decision) == std::vector{noon + 2min});
    CHECK(due::left_out(decision, SlotReason::outside_window).front().slots == 2);
    schedule.policy.window_since.reset();
    schedule.policy.window_until = noon;
    CHECK(due::fires(decide(schedule, noon)).empty());
    decision = schedule::decide({minute(), 0, 0, {}}, noon, true);
    CHECK(due::fires(decision).empty());
    CHECK(due::left_out(decision, SlotReason::queue_full).size() == 1);
}

TEST_CASE("without catch-up a slot that nobody starts within its grace is to be left out") {
    auto schedule = minute();
    schedule.policy.catch_up = core::CatchUp::none;
    schedule.policy.misfire_grace = 3s;
    CHECK(decide(schedule, noon).runs.front().start_by == noon + 3s);
}

TEST_CASE("what depends on others waits for their success since its own last one") {
    auto schedule = minute();
    schedule.policy.depends_on = {"a", "b"};
    schedule.policy.dependency_timeout = 5min;
    ports::DependencyFacts facts;
    facts.succeeded_at = {{"a", noon - 1h}, {"b", std::nullopt}};
    auto run = decide(schedule, noon, 0, 0, facts).runs.front();
    CHECK(run.state == RunState::waiting);
    CHECK(run.start_by == noon + 5min);
    facts.succeeded_at["b"] = noon - 2h;
    CHECK(decide(schedule, noon, 0, 0, facts).runs.front().state == RunState::pending);
    facts.own_success_started_at = noon - 90min;
    CHECK(decide(schedule, noon, 0, 0, facts).runs.front().state == RunState::waiting);
    std::string missing;
    CHECK_FALSE(schedule::dependencies_met(schedule, facts, &missing));
    CHECK(missing == "b");
}

TEST_CASE("a schedule that follows others runs when all have succeeded since its last slot") {
    auto schedule = minute();
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::after;
    schedule.policy.depends_on = {"a", "b"};
    ports::DependencyFacts facts;
    facts.succeeded_at = {{"a", noon}, {"b", std::nullopt}};
    auto decision = decide(schedule, noon, 0, 0, facts);
    CHECK(decision.runs.empty());
    CHECK_FALSE(decision.next_at.has_value());
    CHECK_FALSE(decision.completed);
    facts.succeeded_at["b"] = noon;
    decision = decide(schedule, noon, 0, 0, facts);
    CHECK(decision.runs.front().kind == core::SlotKind::after);
    CHECK(decision.last_nominal == noon);
    schedule.last_nominal = noon;
    facts.succeeded_at["a"] = noon + 1h;
    CHECK(decide(schedule, noon + 1h, 0, 0, facts).runs.empty());
}

TEST_CASE("a one-off, and the last slot before the end, complete the schedule") {
    auto once = minute();
    once.trigger = {};
    once.trigger.kind = core::TriggerKind::once;
    once.trigger.at = noon;
    CHECK(decide(once, noon).completed);
    CHECK(due::fires(decide(once, noon)).size() == 1);
    auto ends = minute();
    ends.policy.ends_at = noon + 60s;
    CHECK(decide(ends, noon).completed);
    ends.policy.ends_at = noon + 61s;
    CHECK_FALSE(decide(ends, noon).completed);
}

TEST_CASE("a fixed delay has no next slot before its run is over, unless the slot was left out") {
    auto schedule = minute();
    schedule.trigger.after_completion = true;
    auto decision = decide(schedule, noon);
    CHECK(due::fires(decision).size() == 1);
    CHECK_FALSE(decision.next_at.has_value());
    CHECK_FALSE(decision.completed);
    schedule.policy.window_until = noon;
    decision = decide(schedule, noon);
    CHECK(decision.next_at == noon + 60s);
}

TEST_CASE("an event's slot is of kind event, and the schedule goes on") {
    auto schedule = minute();
    schedule.trigger = {};
    schedule.trigger.kind = core::TriggerKind::event;
    const auto decision = decide(schedule, noon + 1s);
    CHECK(decision.runs.front().kind == core::SlotKind::event);
    CHECK_FALSE(decision.completed);
}

TEST_CASE("a trigger that cannot be read any more is told of, and looked at again") {
    auto schedule = due::cron("0 * * * *", "Mars/Base");
    schedule.next_at = noon;
    const auto decision = decide(schedule, noon);
    CHECK(decision.runs.front().detail == "trigger.timezone: there is no IANA zone 'Mars/Base'");
    CHECK(decision.next_at == noon + 1h);
    CHECK_FALSE(decision.completed);
}

TEST_CASE("a waiting run is let go when there is room and what it depends on has succeeded") {
    using What = ports::WaitingDecision::What;
    ports::WaitingRun waiting;
    waiting.schedule = minute();
    CHECK(schedule::decide_waiting(waiting).what == What::release);
    waiting.ahead = 1;
    CHECK(schedule::decide_waiting(waiting).what == What::keep);
    waiting.ahead = 0;
    waiting.schedule.policy.depends_on = {"a"};
    waiting.facts.succeeded_at = {{"a", std::nullopt}};
    CHECK(schedule::decide_waiting(waiting).what == What::keep);
    waiting.facts.succeeded_at = {{"a", noon}};
    CHECK(schedule::decide_waiting(waiting).what == What::release);
}

TEST_CASE("years of slots are decided at once, the newest by search") {
    auto schedule = due::every(1ms, noon - std::chrono::days{300});
    schedule.next_at = noon - std::chrono::days{300};
    const auto decision = decide(schedule, noon);
    CHECK(due::fires(decision) == std::vector{noon});
    const auto lost = due::left_out(decision, SlotReason::misfire);
    REQUIRE(lost.size() == 1);
    CHECK(lost.front().more_slots);
    CHECK(lost.front().nominal_from == noon - std::chrono::days{300});
    CHECK(decision.next_at == noon + 1ms);
    // Seconds of one day a year, which no average distance tells.
    auto rare = due::cron("* * * 1 6 *");
    rare.next_at = due::at("2025-06-01T00:00:00Z");
    CHECK(due::fires(decide(rare, noon)) == std::vector{due::at("2025-06-01T23:59:59Z")});
}
