#include "schedule/day_calendar.hpp"

#include "calendar_fixture.hpp"

#include <doctest/doctest.h>

using namespace varde;
using schedule::DayCalendar;

namespace {

std::chrono::local_days day(std::string_view text) { return config::read_date(text).value(); }

}  // namespace

TEST_CASE("a rule without calendars allows every day") {
    const DayCalendar days;
    CHECK_FALSE(days.restricts());
    CHECK(days.allows(day("2026-12-25")));
    CHECK(days.why_not(day("2026-12-25")).empty());
}

TEST_CASE("excluded days are those of any calendar, and the first one that has the day is named by its name or its id") {
    const DayCalendar days{{{}, {"holidays", "weekend"}, {}}, {due::weekend(), due::holidays()}};
    CHECK(days.restricts());
    CHECK(days.allows(day("2026-12-23")));
    CHECK(days.why_not(day("2026-12-24")) == "calendar 'Public holidays' excludes 2026-12-24");
    CHECK(days.why_not(day("2026-12-26")) == "calendar 'weekend' excludes 2026-12-26");
    CHECK(days.allows(day("2026-12-28")));
}

TEST_CASE("included days are those of any calendar, without those that are excluded") {
    const auto office = due::calendar("office", R"("weekdays":["mon","tue"])");
    const auto extra = due::calendar("extra", R"("name":"Open days","dates":["2026-12-24","2026-12-26"])");
    const DayCalendar days{{{"office", "extra"}, {"holidays"}, {}}, {office, extra, due::holidays()}};
    CHECK(days.allows(day("2026-12-22")));
    CHECK(days.allows(day("2026-12-26")));
    CHECK(days.why_not(day("2026-12-23")) == "2026-12-23 is no day of calendar 'office' or 'Open days'");
    CHECK(days.why_not(day("2026-12-24")) == "calendar 'Public holidays' excludes 2026-12-24");
}

TEST_CASE("a calendar that does not exist is empty: excluded it excludes nothing, included alone it leaves no day and says so") {
    const DayCalendar excluded{{{}, {"gone"}, {}}, {}};
    CHECK(excluded.allows(day("2026-12-25")));
    const DayCalendar included{{{"gone"}, {}, {}}, {}};
    CHECK_FALSE(included.allows(day("2026-12-25")));
    CHECK(included.why_not(day("2026-12-25")) == "there is no calendar 'gone'");
    const DayCalendar both{{{"weekend", "gone"}, {}, {}}, {due::weekend()}};
    CHECK(both.allows(day("2026-12-26")));
    CHECK(both.why_not(day("2026-12-25")) == "2026-12-25 is no day of calendar 'weekend'; there is no calendar 'gone'");
}

TEST_CASE("a calendar knows its days at both ends of each range, and those of its weekdays for ever") {
    const auto some =
        due::calendar("some", R"("weekdays":["sun"],"dates":["1970-01-01",{"first":"2026-02-27","last":"2026-03-02"}])");
    CHECK(some->contains(day("1970-01-01")));
    CHECK_FALSE(some->contains(day("1970-01-02")));
    CHECK_FALSE(some->contains(day("2026-02-26")));
    CHECK(some->contains(day("2026-02-27")));
    CHECK(some->contains(day("2026-03-02")));
    CHECK_FALSE(some->contains(day("2026-03-03")));
    CHECK(some->contains(day("2199-12-29")));  // a Sunday
    CHECK_FALSE(due::calendar("none", R"("name":"x")")->contains(day("2026-03-01")));
}
