// varde/home/local_hours.hpp: hours of the local clock, their next change over summer time, and how they are read.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/home/local_hours.hpp>
#include <varde/test.hpp>

namespace {

namespace home = varde::home;
using home::EqualHours;
using home::LocalHours;
using varde::test::Rule;
using varde::test::Window;

/// Says whether its hours hold at `until`, and until when that stays so. Evidence: the span they are read as.
class Clock {
  public:
    explicit Clock(varde::Setup& setup) {
        const varde::Value params = setup.params();
        hours_ = home::read_hours(params, "night", 22, 7, params.flag("always", false) ? EqualHours::always : EqualHours::never,
                                  params.flag("any", false) ? home::OtherHours::never_come : home::OtherHours::refused);
        zone_ = setup.zone_or_utc(params.word("tz", "Europe/Oslo"));
        const LocalHours shown = params.flag("any", false) ? LocalHours(22, 7, EqualHours::never) : hours_;
        read_ = shown.read(setup, zone_, varde::Day::containing, {});
    }
    void evaluate(const varde::Window& window, varde::Findings& out) const {
        out.reason(hours_.hold(window, zone_, window.until()) ? "held" : "not held");
        out.finding({varde::Severity::low, "span", {}, window.span(read_)});
        out.finding({varde::Severity::low, "next", {}, {}, hours_.next_start(window, zone_, window.until())});
        out.valid_until_new_event();
        if (const auto change = hours_.next_change(window, zone_, window.until())) out.valid_until(*change);
    }

  private:
    LocalHours hours_;
    varde::Zone zone_;
    varde::Read read_;
};

/// "held until TIME" at `until`.
std::string at(const char* until, const char* params = "{}") {
    const auto answer = Rule(params).evaluate(Window("2025-10-01T00:00:00Z", until));
    REQUIRE(answer.violations.empty());
    return answer.reason + " until " + answer.valid_until;
}

std::string hours_of(const LocalHours& hours) {
    std::string out;
    for (int hour = 0; hour < 24; ++hour) out += hours.hold(hour) ? '#' : '.';
    return out;
}

}  // namespace

VARDE_RULE(Clock, "T-002", "1.0.0")

TEST_CASE("hours hold from their start up to and not including their end") {
    CHECK(hours_of({8, 20, EqualHours::never}) == "........############....");
    CHECK(hours_of({0, 1, EqualHours::never}) == "#.......................");
    CHECK(hours_of(LocalHours()) == "........................");
}

TEST_CASE("a start after the end spans midnight") {
    CHECK(hours_of({22, 7, EqualHours::never}) == "#######...............##");
    CHECK(hours_of({23, 0, EqualHours::never}) == ".......................#");
}

TEST_CASE("bug 12: equal hours are never or always, as the rule says") {
    CHECK(hours_of({22, 22, EqualHours::never}) == "........................");
    CHECK(hours_of({22, 22, EqualHours::always}) == "########################");
    CHECK(hours_of({0, 0, EqualHours::always}) == "########################");
}

TEST_CASE("hours that no clock shows never come") {
    CHECK(hours_of({30, 40, EqualHours::always}) == "........................");
    CHECK(hours_of({25, 4, EqualHours::never}) == "####....................");
    CHECK(hours_of({-3, 2, EqualHours::never}) == "##......................");
    CHECK(hours_of({5, -1, EqualHours::never}) == ".....###################");
    CHECK(hours_of({20, 99, EqualHours::never}) == "....................####");
}

TEST_CASE("an instant is judged by the local clock") {
    CHECK(at("2026-01-15T20:59:59.999999Z") == "not held until 2026-01-15T21:00:00Z");
    CHECK(at("2026-01-15T21:00:00Z") == "held until 2026-01-16T06:00:00Z");
    CHECK(at("2026-07-15T20:00:00Z") == "held until 2026-07-16T05:00:00Z");
    CHECK(at("2026-01-16T06:00:00Z") == "not held until 2026-01-16T21:00:00Z");
    CHECK(at("2026-01-15T21:30:00Z", R"({"tz": "Asia/Kolkata"})") == "held until 2026-01-16T01:30:00Z");
    CHECK(at("2026-01-15T21:30:00Z", R"({"tz": "No/Where"})") == "not held until 2026-01-15T22:00:00Z");
}

TEST_CASE("the next change is found over the nights in which the clock is changed") {
    CHECK(at("2026-03-28T22:30:00Z") == "held until 2026-03-29T05:00:00Z");
    CHECK(at("2025-10-25T22:30:00Z") == "held until 2025-10-26T06:00:00Z");
    CHECK(at("2026-03-28T10:00:00Z", R"({"night_start_hour": 22, "night_end_hour": 2})") ==
          "not held until 2026-03-28T21:00:00Z");
}

TEST_CASE("an hour that is skipped in spring does not hold, and one that is doubled in autumn holds twice") {
    const char* two_to_three = R"({"night_start_hour": 2, "night_end_hour": 3})";
    CHECK(at("2026-03-29T00:30:00Z", two_to_three) == "not held until 2026-03-30T00:00:00Z");
    CHECK(at("2025-10-26T00:30:00Z", two_to_three) == "held until 2025-10-26T02:00:00Z");
    CHECK(at("2026-03-29T00:30:00Z", R"({"night_start_hour": 22, "night_end_hour": 2})") == "held until 2026-03-29T01:00:00Z");
    const char* to_half_past = R"({"tz": "Australia/Lord_Howe", "night_start_hour": 0, "night_end_hour": 2})";
    CHECK(at("2026-10-03T15:00:00Z", to_half_past) == "held until 2026-10-03T15:30:00Z");
}

TEST_CASE("hours that hold always or never do not change") {
    CHECK(at("2026-01-15T12:00:00Z", R"({"night_start_hour": 7})") == "not held until never");
    CHECK(at("2026-01-15T12:00:00Z", R"({"night_start_hour": 7, "always": true})") == "held until never");
    CHECK(at("2026-01-15T12:00:00Z", R"({"night_start_hour": 30, "night_end_hour": 40, "any": true})") == "not held until never");
}

TEST_CASE("hours are read as the night that contains until, or the last one") {
    const auto span_at = [](const char* until) {
        const auto answer = Rule().evaluate(Window("2026-01-01T00:00:00Z", until));
        return answer.findings.at(0).since + " " + answer.findings.at(0).until;
    };
    CHECK(span_at("2026-01-15T23:30:00Z") == "2026-01-15T21:00:00Z 2026-01-16T06:00:00Z");
    CHECK(span_at("2026-01-16T12:00:00Z") == "2026-01-15T21:00:00Z 2026-01-16T06:00:00Z");
    CHECK(span_at("2026-01-16T21:00:00Z") == "2026-01-16T21:00:00Z 2026-01-17T06:00:00Z");
}

TEST_CASE("the next start is found where the clock jumps over it, and once where it comes twice") {
    const auto start_after = [](const char* until, const char* params) {
        const auto answer = Rule(params).evaluate(Window("2025-10-01T00:00:00Z", until));
        return answer.findings.at(1).timestamp;
    };
    const char* at_two = R"({"night_start_hour": 2, "night_end_hour": 3})";
    CHECK(start_after("2026-01-15T20:59:59.999999Z", "{}") == "2026-01-15T21:00:00Z");
    CHECK(start_after("2026-01-15T21:00:00Z", "{}") == "2026-01-16T21:00:00Z");
    CHECK(start_after("2026-03-28T12:00:00Z", "{}") == "2026-03-28T21:00:00Z");
    CHECK(start_after("2026-03-28T22:00:00Z", "{}") == "2026-03-29T20:00:00Z");
    CHECK(start_after("2026-03-28T12:00:00Z", at_two) == "2026-03-29T01:00:00Z");
    CHECK(start_after("2026-03-29T01:00:00Z", at_two) == "2026-03-30T00:00:00Z");
    CHECK(start_after("2025-10-25T12:00:00Z", at_two) == "2025-10-26T00:00:00Z");
    CHECK(start_after("2025-10-26T01:00:00Z", at_two) == "2025-10-27T01:00:00Z");
    CHECK(start_after("2025-10-26T02:00:00Z", R"({"night_start_hour": 1})") == "2025-10-27T00:00:00Z");
    const char* midnight_in_havana = R"({"tz": "America/Havana", "night_start_hour": 0})";
    CHECK(start_after("2026-03-08T04:30:00Z", midnight_in_havana) == "2026-03-08T05:00:00Z");
    CHECK(start_after("2026-03-08T05:00:00Z", midnight_in_havana) == "2026-03-09T04:00:00Z");
    CHECK(start_after("2026-01-15T21:30:00Z", R"({"tz": "No/Where", "night_start_hour": 0})") == "2026-01-16T00:00:00Z");
}

TEST_CASE("an hour outside 0 to 23 is refused by its name, unless the rule takes it") {
    for (const char* hour : {"24", "-1", "\"24\"", "1000000000000"}) {
        const Rule rule(std::string(R"({"night_start_hour": )") + hour + "}");
        CHECK(rule.status == VARDE_E_PARAM);
        CHECK(rule.refused_param == "night_start_hour");
        CHECK(rule.refusal.find("is outside 0 .. 23") != std::string::npos);
    }
    CHECK(Rule(R"({"night_end_hour": 99})").refused_param == "night_end_hour");
    CHECK(Rule(R"({"night_end_hour": 99, "any": true})").created());
    CHECK(at("2026-01-15T20:30:00Z", R"({"night_start_hour": "21", "night_end_hour": 6.9})") ==
          "held until 2026-01-16T05:00:00Z");
}
