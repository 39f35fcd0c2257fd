#include "config/calendar_definition.hpp"

#include "config/schedule_definition.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;

namespace {

core::Calendar read(const char* text) {
    const auto calendar = config::read_calendar(json::parse(text));
    REQUIRE_MESSAGE(calendar.has_value(), (calendar ? "" : calendar.error().context));
    return *calendar;
}

std::string fault(const char* text) {
    const auto calendar = config::read_calendar(json::parse(text));
    if (calendar) return "";
    CHECK(calendar.error().code == core::Errc::invalid_argument);
    return calendar.error().context;
}

std::string schedule_fault(const char* trigger, const char* calendars) {
    const auto definition =
        json{{"kind", "noop"}, {"trigger", json::parse(trigger)}, {"policy", {{"calendars", json::parse(calendars)}}}};
    const auto schedule = config::read_schedule(definition);
    return schedule ? "" : schedule.error().context;
}

}  // namespace

TEST_CASE("a calendar is read, and written in order with what touches made one range") {
    const auto calendar = read(R"({"id":"no","name":"Norway","weekdays":["sun","sat"],
        "dates":["2027-01-01",{"first":"2026-12-25","last":"2026-12-26"},"2026-12-24",
                 {"first":"2026-12-26","last":"2026-12-26"}]})");
    CHECK(calendar.calendar_id == "no");
    CHECK(calendar.weekdays == 0b1000001);
    REQUIRE(calendar.days.size() == 2);
    CHECK(config::date_text(calendar.days[0].first) == "2026-12-24");
    CHECK(config::date_text(calendar.days[0].last) == "2026-12-26");
    CHECK(config::calendar_json(calendar).dump() == R"({"id":"no","name":"Norway","weekdays":["sat","sun"],)"
                                                    R"("dates":[{"first":"2026-12-24","last":"2026-12-26"},"2027-01-01"]})");
    CHECK(config::read_calendar(json::parse(config::calendar_json(calendar).dump())) == calendar);
}

TEST_CASE("an empty definition is an empty set; the id may come from elsewhere") {
    const auto calendar = read("{}");
    CHECK(calendar.calendar_id.empty());
    CHECK(calendar.weekdays == 0);
    CHECK(calendar.days.empty());
}

TEST_CASE("faults of a calendar name their places, all at once") {
    CHECK(fault(R"({"weekdays":["sat","Sunday"]})") == "weekdays: 'Sunday' is none of mon, tue, wed, thu, fri, sat, sun");
    CHECK(fault(R"({"dates":["2026-02-30"]})") == "dates[0]: '2026-02-30' is no day of any calendar");
    CHECK(fault(R"({"dates":["1969-12-31","2200-01-01"]})") ==
          "dates[0]: '1969-12-31' is not in 1970 to 2199; dates[1]: '2200-01-01' is not in 1970 to 2199");
    CHECK(fault(R"({"dates":["24.12.2026"]})") == "dates[0]: '24.12.2026' is no date such as 2026-12-24");
    CHECK(fault(R"({"dates":["2026-1-001","2026--1-01","+026-01-01"]})").starts_with("dates[0]: '2026-1-001' is no date"));
    CHECK(fault(R"({"dates":[{"first":"2026-12-25"}]})") == "dates[0].last: is missing");
    CHECK(fault(R"({"dates":[{"first":"2026-12-25","last":"2026-12-24"}]})") == "dates[0].last: must not be before first");
    CHECK(fault(R"({"dates":[20261224]})") ==
          R"(dates[0]: must be a date such as "2026-12-24", or {"first": DATE, "last": DATE})");
    CHECK(fault(R"({"dates":"2026-12-24"})") == "dates: must be a list of at most 5000 dates and ranges");
    CHECK(fault(R"({"id":"a b","date":[]})") ==
          "id: may have letters, digits and . _ - : only; date: unknown key; did you mean 'dates'?");
    CHECK(fault("[]") == "must be an object");
}

TEST_CASE("too many dates are refused") {
    auto many = json{{"dates", json::array()}};
    for (int i = 0; i < 5'001; ++i) many["dates"].push_back("2026-12-24");
    CHECK(config::read_calendar(many).error().context == "dates: must be a list of at most 5000 dates and ranges");
    many["dates"].erase(0);
    CHECK(config::read_calendar(many)->days.size() == 1);
}

TEST_CASE("the rule of a schedule is read and written, and left out where it is empty") {
    const auto definition = json::parse(R"({"kind":"noop","trigger":{"cron":"0 9 * * *"},
        "policy":{"calendars":{"include":["office"],"exclude":["no","se"],"roll":"previous"}}})");
    const auto schedule = config::read_schedule(definition).value();
    const auto& rule = schedule.policy.calendars;
    CHECK(rule.include == std::vector<std::string>{"office"});
    CHECK(rule.exclude == std::vector<std::string>{"no", "se"});
    CHECK(rule.roll == core::CalendarRoll::previous);
    const auto written = config::policy_json(schedule.policy);
    CHECK(written["calendars"].dump() == R"({"include":["office"],"exclude":["no","se"],"roll":"previous"})");
    CHECK(config::read_policy(json::parse(written.dump()))->calendars == rule);
    CHECK_FALSE(config::policy_json({}).contains("calendars"));
}

TEST_CASE("a rule that moves days needs wall times, and no calendar is both included and excluded") {
    const char* const rolling = R"({"exclude":["no"],"roll":"next"})";
    CHECK(schedule_fault(R"({"cron":"0 9 * * *"})", rolling).empty());
    for (const char* trigger : {R"({"every":"1h"})", R"({"manual":true})", R"({"at":"2026-12-24T12:00:00Z"})"}) {
        CHECK(schedule_fault(trigger, rolling) ==
              "policy.calendars.roll: 'next' needs a cron trigger: only wall times have another day to move to; use skip");
        CHECK(schedule_fault(trigger, R"({"exclude":["no"]})").empty());
    }
    CHECK(schedule_fault(R"({"cron":"0 9 * * *"})", R"({"include":["no"],"exclude":["no"]})") ==
          "policy.calendars.exclude: 'no' is included already: no day is left");
    CHECK(schedule_fault(R"({"cron":"0 9 * * *"})", R"({"exclude":["no"],"roll":"later"})") ==
          "policy.calendars.roll: must be one of skip, next, previous");
    CHECK(schedule_fault(R"({"cron":"0 9 * * *"})", R"({"excludes":["no"]})") ==
          "policy.calendars.excludes: unknown key; did you mean 'exclude'?");
}
