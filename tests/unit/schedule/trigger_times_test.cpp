#include "schedule/trigger_times.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <set>

using namespace varde;
using namespace std::chrono_literals;
using schedule::TriggerTimes;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

core::Schedule every(core::Microseconds period) {
    core::Schedule schedule;
    schedule.schedule_id = "s";
    schedule.trigger.kind = core::TriggerKind::interval;
    schedule.trigger.period = period;
    return schedule;
}

core::Schedule cron(std::string expression, std::string zone = "UTC") {
    core::Schedule schedule;
    schedule.schedule_id = "s";
    schedule.trigger.kind = core::TriggerKind::cron;
    schedule.trigger.expression = std::move(expression);
    schedule.trigger.zone = std::move(zone);
    return schedule;
}

}  // namespace

TEST_CASE("an interval has a phase of its schedule's own, which never changes") {
    const auto times = TriggerTimes::of(every(60s)).value();
    const auto first = times.next(at("2026-01-15T12:00:00Z")).value();
    CHECK(first - at("2026-01-15T12:00:00Z") <= 60s);
    CHECK(times.next(first) == first + 60s);
    auto other = every(60s);
    other.schedule_id = "t";
    CHECK(TriggerTimes::of(other)->next(at("2026-01-15T12:00:00Z")) != first);
    CHECK(schedule::stable_hash("") == schedule::stable_hash(""));
    CHECK(schedule::stable_hash("s") != schedule::stable_hash("t"));
}

TEST_CASE("an anchor, or else the start, says where an interval's slots lie") {
    auto schedule = every(60s);
    schedule.trigger.anchor = at("2026-01-15T00:00:07Z");
    CHECK(TriggerTimes::of(schedule)->next(at("2026-01-15T12:00:00Z")) == at("2026-01-15T12:00:07Z"));
    schedule.trigger.anchor.reset();
    schedule.policy.starts_at = at("2026-02-01T10:00:30Z");
    CHECK(TriggerTimes::of(schedule)->next(at("2026-01-15T12:00:00Z")) == at("2026-02-01T10:00:30Z"));
    CHECK(TriggerTimes::of(schedule)->next(at("2026-02-01T10:00:30Z")) == at("2026-02-01T10:01:30Z"));
}

TEST_CASE("cron times are wall times of the zone, within the bounds of the schedule") {
    auto schedule = cron("0 9 * * 1", "America/New_York");
    CHECK(TriggerTimes::of(schedule)->next(at("2026-03-01T00:00:00Z")) == at("2026-03-02T14:00:00Z"));
    CHECK(TriggerTimes::of(schedule)->next(at("2026-03-02T14:00:00Z")) == at("2026-03-09T13:00:00Z"));  // daylight saving
    schedule.policy.ends_at = at("2026-03-09T13:00:00Z");
    CHECK_FALSE(TriggerTimes::of(schedule)->next(at("2026-03-02T14:00:00Z")).has_value());
}

TEST_CASE("what never fires, and what cannot be read, is an error with its place") {
    CHECK(TriggerTimes::of(cron("0 0 30 2 *")).error().context == "trigger.cron: '0 0 30 2 *' never fires");
    CHECK(TriggerTimes::of(cron("61 * * * *")).error().context.starts_with("trigger.cron: "));
    CHECK(TriggerTimes::of(cron("0 0 * * *", "Mars/Base")).error().context.starts_with("trigger.timezone: "));
}

TEST_CASE("a one-off fires once; a manual schedule and a fixed delay wait for what happens") {
    core::Schedule schedule;
    schedule.trigger.kind = core::TriggerKind::once;
    schedule.trigger.at = at("2026-01-15T12:00:00Z");
    CHECK(TriggerTimes::of(schedule)->next(at("2026-01-15T11:00:00Z")) == schedule.trigger.at);
    CHECK_FALSE(TriggerTimes::of(schedule)->next(schedule.trigger.at).has_value());
    auto delay = every(60s);
    delay.trigger.after_completion = true;
    CHECK_FALSE(TriggerTimes::of(delay)->next(at("2026-01-15T11:00:00Z")).has_value());
}

TEST_CASE("jitter is stable, spread, below its bound, and never reorders slots") {
    auto schedule = every(60s);
    schedule.trigger.anchor = at("2026-01-15T00:00:00Z");
    schedule.policy.jitter = 1h;  // more than the period
    const auto times = TriggerTimes::of(schedule).value();
    std::set<std::int64_t> seen;
    core::Instant before{};
    for (int slot = 0; slot < 1000; ++slot) {
        const auto nominal = at("2026-01-15T00:00:00Z") + slot * 60s;
        const auto jitter = times.jitter(nominal);
        CHECK(jitter >= 0s);
        CHECK(jitter < 60s);
        CHECK(nominal + jitter > before);
        CHECK(jitter == TriggerTimes::of(schedule)->jitter(nominal));
        before = nominal + jitter;
        seen.insert(jitter / 6s);
    }
    CHECK(seen.size() == 10);
}
