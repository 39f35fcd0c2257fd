#include "config/ics_calendar.hpp"

#include "config/calendar_definition.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;

namespace {

std::string file(const std::string& events, const std::string& head = "") {
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//EN\r\n" + head + events + "END:VCALENDAR\r\n";
}
std::string event(const std::string& lines) { return "BEGIN:VEVENT\r\nUID:u1\r\n" + lines + "END:VEVENT\r\n"; }

std::string dates(const std::string& text) {
    const auto calendar = config::read_ics(text);
    if (!calendar) return calendar.error().context;
    return config::calendar_json(*calendar)["dates"].dump();
}

}  // namespace

TEST_CASE("all-day events are days, with an end that is not one of them") {
    const auto calendar =
        config::read_ics(file(event("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Jul\r\n") +
                                  event("DTSTART;VALUE=DATE:20270101\r\n"),
                              "X-WR-CALNAME:Helligdager\r\n"));
    REQUIRE(calendar.has_value());
    CHECK(calendar->name == "Helligdager");
    CHECK(calendar->calendar_id.empty());
    CHECK(config::calendar_json(*calendar)["dates"].dump() == R"([{"first":"2026-12-24","last":"2026-12-26"},"2027-01-01"])");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261224\r\n"))) == R"(["2026-12-24"])");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nDURATION:P2D\r\n"))) ==
          R"([{"first":"2026-12-24","last":"2026-12-25"}])");
    CHECK(dates(file("")) == "[]");
}

TEST_CASE("folded lines and lines without carriage returns are read") {
    CHECK(dates("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:a long\n  line\n"
                "DTSTART;VALUE=DA\n TE:20261\n 224\nEND:VEVENT\n"
                "END:VCALENDAR\n") == R"(["2026-12-24"])");
}

TEST_CASE("events repeat as their rule says, without the days that are taken out, and with those that are put in") {
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n"))) ==
          R"(["2026-12-25","2027-12-25","2028-12-25"])");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20260105\r\nRRULE:FREQ=WEEKLY;UNTIL=20260126\r\nEXDATE;VALUE=DATE:20260112\r\n"
                           "RDATE;VALUE=DATE:20260214\r\n"))) == R"(["2026-01-05","2026-01-19","2026-01-26","2026-02-14"])");
    const auto for_ever = config::read_ics(file(event("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY\r\n")));
    REQUIRE(for_ever.has_value());
    CHECK(for_ever->days.size() == 174);
    CHECK(config::date_text(for_ever->days.back().last) == "2199-12-25");
}

TEST_CASE("a cancelled event counts for nothing") {
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nSTATUS:CANCELLED\r\n"))) == "[]");
}

TEST_CASE("what is no set of whole days is refused, and the event is named") {
    CHECK(dates(file(event("DTSTART:20261224T120000Z\r\nSUMMARY:Lunch\r\n"))) ==
          "iCalendar: event 'Lunch': DTSTART has a time of day: only all-day events (VALUE=DATE) are days");
    CHECK(dates(file(event("SUMMARY:Never\r\n"))) == "iCalendar: event 'Never': DTSTART is missing, or is no date");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261222\r\n"))) ==
          "iCalendar: event u1: DTEND is before DTSTART");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:19691231\r\n"))) == "iCalendar: event u1: is not in 1970 to 2199");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nRRULE:FREQ=HOURLY\r\n"))) ==
          "iCalendar: event u1: RRULE must repeat by DAILY, WEEKLY, MONTHLY or YEARLY");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\n"))) ==
          "iCalendar: event u1: RRULE has no day");
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20261224\r\nRECURRENCE-ID;VALUE=DATE:20261223\r\n")))
              .starts_with("iCalendar: event u1: one occurrence that was moved (RECURRENCE-ID) cannot be read"));
}

TEST_CASE("more days than a calendar holds are refused, however few lines say them") {
    CHECK(dates(file(event("DTSTART;VALUE=DATE:20260105\r\nRRULE:FREQ=WEEKLY\r\n")))
              .starts_with("iCalendar: event u1: with it there are more than 5000 ranges of days"));
    CHECK(dates(file(event("DTSTART;VALUE=DATE:19700101\r\nRRULE:FREQ=DAILY\r\n"))) ==
          "iCalendar: event u1: RRULE repeats more than 50000 times");
    std::string many;
    for (int i = 0; i < 100; ++i) many += event("DTSTART;VALUE=DATE:20260105\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n");
    CHECK(dates(file(many)) == R"(["2026-01-05","2027-01-05"])");
    CHECK(dates(file(many + event("DTSTART;VALUE=DATE:20260105\r\nRRULE:FREQ=YEARLY\r\n"))) ==
          "iCalendar: has more than 100 events that repeat");
}

TEST_CASE("what is no iCalendar is refused") {
    for (const std::string text : {"", "hello", "BEGIN:VEVENT\r\nEND:VEVENT\r\n", "{\"dates\":[]}"}) {
        CHECK_MESSAGE(dates(text) == "iCalendar: must be one VCALENDAR, from BEGIN:VCALENDAR to END:VCALENDAR", text);
    }
    CHECK(dates(std::string{"BEGIN:VCALENDAR\0", 16}) == "iCalendar: has a NUL byte");
}
