#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/test.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kInRoom = R"({"room_id": "inngang", "state": "open"})";
constexpr const char* kQuiet = R"({"quiet_after_minutes": 10})";
constexpr const char* kComplete = R"({"quiet_after_minutes": 10, "judge_only_complete_quiet_window": true})";

/// Eleven to twelve, seen from `until`, with `count` door events a minute from `first` on.
Window doors(int count, int first_minute = 40, const char* until = "2026-01-15T12:00:00Z", const char* payload = kInRoom) {
    Window window("2026-01-15T11:00:00Z", until);
    for (int i = 0; i < count; ++i)
        window.event("d" + std::to_string(i + 1), "2026-01-15T11:" + std::to_string(first_minute + i) + ":00Z", "door", payload);
    return window;
}

/// Six door events whose payload names no room.
Window mapped_doors() {
    Window window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z");
    for (int i = 0; i < 6; ++i)
        window.add({.id = "d", .time = "2026-01-15T11:4" + std::to_string(i) + ":00Z", .category = "door", .room = "inngang"});
    return window;
}

std::string severity_of(const char* params, const Window& window) {
    const auto answer = Rule(params).evaluate(window);
    REQUIRE_MESSAGE(answer.met(), answer.reason);
    return answer.findings[0].severity;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("six door events in half an hour are a burst, five are not") {
    const auto answer = Rule().evaluate(doors(6));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].title == "Mange dørhendelser på kort tid");
    CHECK(has(answer.findings[0].explanation, "uro, forvirring"));
    CHECK(answer.findings[0].since == "2026-01-15T11:30:00Z");
    CHECK(answer.findings[0].until == "2026-01-15T12:00:00Z");
    CHECK(has(answer.findings[0].evidence, R"("door_event_count":6,"door_event_ids":["d1","d2","d3","d4","d5","d6"])"));
    CHECK(has(answer.findings[0].evidence, R"("last_door_ts":"2026-01-15T11:45:00+00:00","quiet_window":{"since":null)"));
    CHECK(answer.reason == "6 door events in inngang in 30 minutes, 6 are a burst");
    const auto fewer = Rule().evaluate(doors(5));
    CHECK(fewer.not_met());
    CHECK(fewer.reason == "5 door events in inngang in 30 minutes, 6 are a burst");
    CHECK(fewer.valid_until == "never");
}

TEST_CASE("the half hour ends at until and holds its first instant, whatever the window of the call is") {
    CHECK(Rule().evaluate(doors(6, 30)).met());
    CHECK(Rule().evaluate(doors(6, 29)).not_met());
    Window late = doors(5);
    CHECK(Rule().evaluate(Window(late).event("end", "2026-01-15T12:00:00Z", "door", kInRoom)).not_met());
    CHECK(Rule().evaluate(Window(late).event("end", "2026-01-15T11:59:59.999999Z", "door", kInRoom)).met());
}

TEST_CASE("only doors of the room count, whatever their state") {
    for (const char* payload :
         {R"({"room_id": "inngang", "state": "closed"})", R"({"room": "inngang"})", R"({"room_id": 0, "room": "inngang"})"})
        CHECK(Rule().evaluate(doors(6, 40, "2026-01-15T12:00:00Z", payload)).met());
    for (const char* payload : {R"({"room_id": "kjokken"})", R"({"room_id": "Inngang"})", "{}", R"("inngang")"})
        CHECK(Rule().evaluate(doors(6, 40, "2026-01-15T12:00:00Z", payload)).not_met());
    CHECK(Rule(R"({"front_door_room_id": 7})").evaluate(doors(6, 40, "2026-01-15T12:00:00Z", R"({"room_id": "7"})")).met());
}

TEST_CASE("a burst at night is HIGH, by the local hour of until") {
    CHECK(severity_of(R"({"tz": "UTC", "night_start_hour": 12, "night_end_hour": 13})", doors(6)) == "HIGH");
    CHECK(severity_of(R"({"tz": "UTC", "night_start_hour": 13, "night_end_hour": 12})", doors(6)) == "MEDIUM");
    CHECK(severity_of(R"({"night_start_hour": 13, "night_end_hour": 14})", doors(6)) == "HIGH");
    CHECK(severity_of(R"({"tz": "No/Where", "night_start_hour": 12, "night_end_hour": 13})", doors(6)) == "HIGH");
    const auto answer = Rule(R"({"night_start_hour": 13, "night_end_hour": 14})").evaluate(doors(6));
    CHECK(has(answer.reason, "it is night"));
}

TEST_CASE("silence after the last event makes it HIGH") {
    CHECK(severity_of(kQuiet, doors(6)) == "HIGH");
    const auto with = [](const char* time, const char* payload) {
        return severity_of(kQuiet, doors(6).event("m", time, "motion", payload));
    };
    CHECK(with("2026-01-15T11:45:00Z", R"({"state": "on"})") == "MEDIUM");
    CHECK(with("2026-01-15T11:54:59Z", "{}") == "MEDIUM");
    CHECK(with("2026-01-15T11:55:00Z", R"({"state": "on"})") == "HIGH");
    CHECK(with("2026-01-15T11:44:59Z", R"({"state": "on"})") == "HIGH");
    CHECK(with("2026-01-15T11:50:00Z", R"({"state": "off"})") == "HIGH");
}

TEST_CASE("the answer holds until the first door leaves, the silence is over or the night begins") {
    CHECK(Rule().evaluate(doors(6)).valid_until == "2026-01-15T12:10:00.000001Z");
    CHECK(Rule(kQuiet).evaluate(doors(6, 54)).valid_until == "2026-01-15T12:24:00.000001Z");
    CHECK(Rule(kComplete).evaluate(doors(6, 54)).valid_until == "2026-01-15T12:09:00Z");
    CHECK(Rule(R"({"tz": "UTC", "night_start_hour": 12, "lookback_minutes": 90})")
              .evaluate(doors(6, 10, "2026-01-15T11:59:00Z"))
              .valid_until == "2026-01-15T12:00:00Z");
    CHECK(Rule(R"({"burst_threshold": 0, "night_start_hour": 5, "night_end_hour": 5})").evaluate(doors(0)).valid_until ==
          "never");
}

TEST_CASE("bug 6: the reference calls it quiet the moment after the last event") {
    const auto answer = Rule(kQuiet).evaluate(doors(6, 54));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "HIGH");
    CHECK(has(answer.findings[0].evidence, R"("quiet_after":true)"));
}

TEST_CASE("bug 6: ours waits until the minutes are over, and says that it does not know before") {
    const auto early = Rule(kComplete).evaluate(doors(6, 54));
    REQUIRE(early.met());
    CHECK(early.findings[0].severity == "MEDIUM");
    CHECK(has(early.findings[0].evidence, R"("quiet_after":null)"));
    CHECK(has(early.reason, "; the 10 minutes after the last are not over"));
    CHECK(severity_of(kComplete, doors(6, 45)) == "HIGH");
    CHECK(has(Rule(kComplete).evaluate(doors(6, 45)).reason, "; nothing moved in the 10 minutes after the last"));
    const auto moved = doors(6, 45).event("m", "2026-01-15T11:55:00Z", "motion");
    CHECK(severity_of(kComplete, moved) == "MEDIUM");
    CHECK(has(Rule(kComplete).evaluate(moved).reason, "; something moved in the 10 minutes after the last"));
}

TEST_CASE("bug 6: minutes of silence that outlast the doors are refused, with both numbers") {
    const Rule rule(R"({"quiet_after_minutes": 30, "judge_only_complete_quiet_window": true})");
    CHECK(rule.refused_param == "quiet_after_minutes");
    CHECK(has(rule.refusal, "30 is not shorter than lookback_minutes, 30"));
    CHECK(Rule(R"({"quiet_after_minutes": 29, "judge_only_complete_quiet_window": true})").created());
    CHECK(Rule(R"({"quiet_after_minutes": 600})").created());
}

TEST_CASE("bug 9: in the reference a falsy state is movement and 1.0 is not") {
    const auto heard = [](const char* payload) {
        return severity_of(kQuiet, doors(6).event("m", "2026-01-15T11:50:00Z", "motion", payload)) == "MEDIUM";
    };
    for (const char* payload : {R"({"state": 0})", R"({"state": false})", R"({"state": ""})", R"({"state": 1})"})
        CHECK(heard(payload));
    for (const char* payload : {R"({"state": 1.0})", R"({"state": " on"})"}) CHECK_FALSE(heard(payload));
}

TEST_CASE("bug 9: ours reads a state as what it means") {
    const auto heard = [](const char* payload) {
        return severity_of(R"({"quiet_after_minutes": 10, "typed_states": true})",
                           doors(6).event("m", "2026-01-15T11:50:00Z", "motion", payload)) == "MEDIUM";
    };
    for (const char* payload : {R"({"state": 0})", R"({"state": false})", R"({"state": ""})", R"({"state": "unavailable"})"})
        CHECK_FALSE(heard(payload));
    for (const char* payload : {R"({"state": 1})", R"({"state": 1.0})", R"({"state": " on"})", R"({"state": null})", "{}"})
        CHECK(heard(payload));
}

TEST_CASE("bug 10: the reference does not see doors that are mapped to the room by the host") {
    CHECK(Rule().evaluate(mapped_doors()).not_met());
}

TEST_CASE("bug 10: ours takes the room the host derived") {
    CHECK(Rule(R"({"use_derived_room": true})").evaluate(mapped_doors()).met());
    CHECK(Rule(R"({"use_derived_room": true})").evaluate(doors(6)).met());
}

TEST_CASE("bug 11: the reference has no event_ids") {
    CHECK_FALSE(has(Rule().evaluate(doors(6)).findings.at(0).evidence, "\"event_ids\""));
}

TEST_CASE("bug 11: ours has the doors as event_ids, at most 200") {
    const auto answer = Rule(R"({"list_event_ids": true})").evaluate(doors(6));
    CHECK(answer.findings.at(0).evidence.ends_with(R"(,"event_ids":["d1","d2","d3","d4","d5","d6"]})"));
    Window many("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z");
    for (int i = 0; i < 250; ++i) many.event("d" + std::to_string(i), "2026-01-15T11:50:00Z", "door", kInRoom);
    const auto evidence = Rule(R"({"list_event_ids": true})").evaluate(many).findings.at(0).evidence;
    CHECK(has(evidence, R"("door_event_count":250)"));
    CHECK(has(evidence, R"("d199"])"));
    CHECK_FALSE(has(evidence, "\"d200\""));
}

TEST_CASE("bug 12: in the reference an hour that no clock shows never comes, and equal hours are always night") {
    CHECK(severity_of(R"({"night_start_hour": 30, "night_end_hour": 40})", doors(6)) == "MEDIUM");
    CHECK(severity_of(R"({"night_start_hour": 14, "night_end_hour": 14})", doors(6)) == "HIGH");
}

TEST_CASE("bug 12: ours refuses such an hour when the configuration is loaded") {
    const Rule rule(R"({"night_end_hour": 40, "strict_hours": true})");
    CHECK(rule.status == VARDE_E_PARAM);
    CHECK(rule.refused_param == "night_end_hour");
    CHECK(rule.refusal == "40 is outside 0 .. 23");
    CHECK(Rule(R"({"strict_hours": 1})").refused_param == "strict_hours");
}

TEST_CASE("bug 13: the reference wants six events in thirty minutes, not the three in ten of its specification, nor its names") {
    CHECK(Rule().evaluate(doors(3, 55)).not_met());
    CHECK(Rule(R"({"burst_count": 3, "burst_minutes": 10})").evaluate(doors(3, 55)).not_met());
}

TEST_CASE("bug 13: ours has the numbers it is given, also those of the specification") {
    CHECK(Rule(R"({"burst_threshold": 3, "lookback_minutes": 10})").evaluate(doors(3, 55)).met());
    CHECK(Rule(R"({"burst_threshold": 3, "lookback_minutes": 10})").evaluate(doors(3, 45)).not_met());
}

TEST_CASE("parameters that cannot be meant are refused and named") {
    CHECK(Rule(R"({"lookback_minutes": 1000000000000})").refused_param == "lookback_minutes");
    CHECK(Rule(R"({"quiet_after_minutes": -1000000000000})").refused_param == "quiet_after_minutes");
    CHECK(Rule(R"({"judge_only_complete_quiet_window": "yes"})").refused_param == "judge_only_complete_quiet_window");
    CHECK(Rule(R"({"lookback_minutes": -5})").evaluate(doors(6)).not_met());
}
