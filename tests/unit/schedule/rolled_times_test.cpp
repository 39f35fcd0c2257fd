#include "schedule/rolled_times.hpp"

#include "calendar_fixture.hpp"

#include <doctest/doctest.h>

using namespace varde;
using core::CalendarRoll;
using Times = std::vector<std::string>;

TEST_CASE("with skip the nominal times stay where they are") {
    const auto daily = due::without(due::cron("0 9 * * *"), {due::weekend()});
    CHECK(due::next_times(daily, {due::weekend()}, "2026-12-18T09:00:00Z", 3) ==
          Times{"2026-12-19T09:00:00Z", "2026-12-20T09:00:00Z", "2026-12-21T09:00:00Z"});
}

TEST_CASE("next: over two holidays and a weekend the times of four days come on the Monday, each instant once") {
    const core::Calendars both{due::weekend(), due::holidays()};
    const auto daily = due::without(due::cron("0 9 * * *"), both, CalendarRoll::next);
    CHECK(due::next_times(daily, both, "2026-12-22T12:00:00Z", 4) ==
          Times{"2026-12-23T09:00:00Z", "2026-12-28T09:00:00Z", "2026-12-29T09:00:00Z", "2026-12-30T09:00:00Z"});
    const auto weekly = due::without(due::cron("30 7 * * THU"), both, CalendarRoll::next);
    CHECK(due::next_times(weekly, both, "2026-12-22T12:00:00Z", 2) == Times{"2026-12-28T07:30:00Z", "2026-12-31T07:30:00Z"});
}

TEST_CASE("previous: they come on the last day before, ahead of their own") {
    const core::Calendars both{due::weekend(), due::holidays()};
    const auto weekly = due::without(due::cron("30 7 * * SUN"), both, CalendarRoll::previous);
    CHECK(due::next_times(weekly, both, "2026-12-14T00:00:00Z", 3) ==
          Times{"2026-12-18T07:30:00Z", "2026-12-23T07:30:00Z", "2026-12-31T07:30:00Z"});
    const auto daily = due::without(due::cron("0 9 * * *"), both, CalendarRoll::previous);
    CHECK(due::next_times(daily, both, "2026-12-22T12:00:00Z", 2) == Times{"2026-12-23T09:00:00Z", "2026-12-28T09:00:00Z"});
}

TEST_CASE("what comes on a day that has the same time of its own is one slot") {
    auto times = due::without(due::cron("0 18 * * SAT,MON"), {due::weekend()}, CalendarRoll::next);  // Saturday's is Monday's own
    CHECK(due::next_times(times, {due::weekend()}, "2026-12-11T00:00:00Z", 2) ==
          Times{"2026-12-14T18:00:00Z", "2026-12-21T18:00:00Z"});
    times.trigger.expression = "0,20 6 * * 6,1";
    CHECK(due::next_times(times, {due::weekend()}, "2026-12-14T06:00:00Z", 2) ==
          Times{"2026-12-14T06:20:00Z", "2026-12-21T06:00:00Z"});
}

TEST_CASE("the times of several days come on one day in the order of the clock") {
    auto times = due::without(due::cron("0 7,12 * * SAT,SUN"), {due::weekend()}, CalendarRoll::next);
    CHECK(due::next_times(times, {due::weekend()}, "2026-12-12T00:00:00Z", 3) ==
          Times{"2026-12-14T07:00:00Z", "2026-12-14T12:00:00Z", "2026-12-21T07:00:00Z"});
    times.policy.calendars.roll = CalendarRoll::previous;
    CHECK(due::next_times(times, {due::weekend()}, "2026-12-12T00:00:00Z", 3) ==
          Times{"2026-12-18T07:00:00Z", "2026-12-18T12:00:00Z", "2026-12-25T07:00:00Z"});
}

TEST_CASE("the last of the month moves into the next month, or back within its own") {
    auto month_end = due::without(due::cron("0 17 L * *"), {due::weekend()}, CalendarRoll::next);
    // 2026-01-31 is a Saturday, 2026-02-28 too, 2026-05-31 a Sunday.
    CHECK(due::next_times(month_end, {due::weekend()}, "2026-01-15T00:00:00Z", 3) ==
          Times{"2026-02-02T17:00:00Z", "2026-03-02T17:00:00Z", "2026-03-31T17:00:00Z"});
    month_end.policy.calendars.roll = CalendarRoll::previous;
    CHECK(due::next_times(month_end, {due::weekend()}, "2026-01-15T00:00:00Z", 3) ==
          Times{"2026-01-30T17:00:00Z", "2026-02-27T17:00:00Z", "2026-03-31T17:00:00Z"});
}

TEST_CASE("a rare expression is found however far it is, and 29 February rolls off its weekend") {
    const auto leap = due::without(due::cron("0 12 29 2 *"), {due::weekend()}, CalendarRoll::next);
    // 2032-02-29 is a Sunday.
    CHECK(due::next_times(leap, {due::weekend()}, "2026-01-01T00:00:00Z", 3) ==
          Times{"2028-02-29T12:00:00Z", "2032-03-01T12:00:00Z", "2036-02-29T12:00:00Z"});
}

TEST_CASE("days that never end in an allowed day stay where they are") {
    const auto always = due::calendar("always", R"("dates":[{"first":"1970-01-01","last":"2199-12-31"}])");
    for (const auto roll : {CalendarRoll::next, CalendarRoll::previous}) {
        const auto daily = due::without(due::cron("0 9 * * *"), {always}, roll);
        CHECK(due::next_times(daily, {always}, "2026-12-18T09:00:00Z", 2) ==
              Times{"2026-12-19T09:00:00Z", "2026-12-20T09:00:00Z"});
        const auto times = schedule::TriggerTimes::of(daily, {always}).value();
        CHECK_FALSE(times.allows(due::at("2026-12-19T09:00:00Z")));
    }
}

TEST_CASE("an excluded run of exactly 366 days rolls, a day more does not: only its first day stays") {
    const auto year = due::calendar("year", R"("dates":[{"first":"2026-01-02","last":"2027-01-02"}])");  // 366 days
    const auto first = due::without(due::cron("0 9 2 1 *"), {year}, CalendarRoll::next);
    CHECK(due::next_times(first, {year}, "2026-01-01T00:00:00Z", 2) == Times{"2027-01-03T09:00:00Z", "2028-01-02T09:00:00Z"});
    const auto longer = due::calendar("year", R"("dates":[{"first":"2026-01-02","last":"2027-01-03"}])");
    CHECK(due::next_times(first, {longer}, "2026-01-01T00:00:00Z", 2) == Times{"2026-01-02T09:00:00Z", "2027-01-04T09:00:00Z"});
    const auto back = due::without(due::cron("0 9 3 1 *"), {longer}, CalendarRoll::previous);
    CHECK(due::next_times(back, {longer}, "2025-12-31T00:00:00Z", 3) ==
          Times{"2026-01-01T09:00:00Z", "2027-01-03T09:00:00Z", "2028-01-03T09:00:00Z"});
}

TEST_CASE("the times of a closed year come on one day, and the next one is found at once") {
    const auto year = due::calendar("year", R"("dates":[{"first":"2026-01-02","last":"2026-12-31"}])");
    const auto often = due::without(due::cron("*/10 * * * *"), {year}, CalendarRoll::next);
    const auto times = due::next_times(often, {year}, "2026-01-01T23:50:00Z", 144);
    CHECK(times.front() == "2027-01-01T00:00:00Z");
    CHECK(times.at(1) == "2027-01-01T00:10:00Z");
    CHECK(times.back() == "2027-01-01T23:50:00Z");
}

TEST_CASE("days are those of the trigger's zone") {
    const auto late = due::without(due::cron("30 23 * * *", "America/New_York"), {due::weekend()}, CalendarRoll::next);
    // Friday 23:30 in New York is Saturday in UTC: it stays; Saturday and Sunday come on Monday.
    CHECK(due::next_times(late, {due::weekend()}, "2026-01-16T12:00:00Z", 3) ==
          Times{"2026-01-17T04:30:00Z", "2026-01-20T04:30:00Z", "2026-01-21T04:30:00Z"});
}

TEST_CASE("a rolled time in a gap or in a repeated hour goes by the policies of the trigger") {
    // Clocks go from 02:00 to 03:00 on Sunday 2026-03-29, and back from 03:00 to 02:00 on 2026-10-25. Saturdays move to Sunday.
    const auto saturdays = due::calendar("saturdays", R"("weekdays":["sat"])");
    auto nightly = due::without(due::cron("30 2 * * SAT", "Europe/Oslo"), {saturdays}, CalendarRoll::next);
    CHECK(due::next_times(nightly, {saturdays}, "2026-03-23T00:00:00Z", 2) ==
          Times{"2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"});
    nightly.trigger.gap = core::GapPolicy::skip;
    CHECK(due::next_times(nightly, {saturdays}, "2026-03-23T00:00:00Z", 1) == Times{"2026-04-05T00:30:00Z"});
    CHECK(due::next_times(nightly, {saturdays}, "2026-10-20T00:00:00Z", 2) ==
          Times{"2026-10-25T00:30:00Z", "2026-11-01T01:30:00Z"});
    nightly.trigger.overlap = core::OverlapPolicy::second;
    CHECK(due::next_times(nightly, {saturdays}, "2026-10-20T00:00:00Z", 2) ==
          Times{"2026-10-25T01:30:00Z", "2026-11-01T01:30:00Z"});
    nightly.trigger.overlap = core::OverlapPolicy::both;
    CHECK(due::next_times(nightly, {saturdays}, "2026-10-20T00:00:00Z", 2) ==
          Times{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"});
}

TEST_CASE("where no day is excluded, rolled times are the times of the expression") {
    const auto none = due::calendar("none", R"("name":"nothing")");
    for (const char* zone :
         {"UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Nuuk"}) {
        for (const char* expression : {"30 2 * * *", "0 0 * * *", "*/30 * * * *", "15 */2 * * *", "30 23 * * *", "0 12 29 2 *"}) {
            const auto plain = due::cron(expression, zone);
            const auto natural = due::next_times(plain, {}, "2018-10-20T00:00:00Z", 300);
            CHECK_MESSAGE(
                due::next_times(due::without(plain, {none}, CalendarRoll::next), {none}, "2018-10-20T00:00:00Z", 300) == natural,
                zone << " " << expression);
            CHECK_MESSAGE(due::next_times(due::without(plain, {none}, CalendarRoll::previous), {none}, "2018-10-20T00:00:00Z",
                                          300) == natural,
                          zone << " " << expression);
        }
    }
}

TEST_CASE("starts_at and ends_at go by where a time has moved to") {
    auto daily = due::without(due::cron("0 9 * * SAT"), {due::weekend()}, CalendarRoll::next);
    daily.policy.ends_at = due::at("2026-12-21T09:00:00Z");
    CHECK(due::next_times(daily, {due::weekend()}, "2026-12-15T00:00:00Z", 5).empty());
    daily.policy.starts_at = due::at("2026-12-14T09:00:00Z");
    CHECK(due::next_times(daily, {due::weekend()}, "2026-12-01T00:00:00Z", 5) == Times{"2026-12-14T09:00:00Z"});
}
