#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/test.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kSound = R"({"night_containing_until": true})";

std::string in_room(const std::string& room) { return R"({"room_id": ")" + room + R"(", "state": "on"})"; }

/// Seen from `until`: `count` events, `minutes` apart from midnight in Oslo on, in two rooms by turns.
Window walk(int count, const char* until, int minutes = 1) {
    Window window("2026-01-15T12:00:00Z", until);
    for (int i = 0; i < count; ++i) {
        const int at = minutes * i;
        const std::string time = "2026-01-15T23:" + std::to_string(at / 10) + std::to_string(at % 10) + ":00Z";
        window.event("e" + std::to_string(i + 1), time, "presence", in_room(i % 2 ? "gang" : "soverom"));
    }
    return window;
}

constexpr const char* kEvening = "2026-01-15T22:30:00Z";  // 23:30 in Oslo: the reference looks at this night until seven
constexpr const char* kNight = "2026-01-16T00:30:00Z";    // 01:30 in Oslo

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("six changes of room in a night are wandering, five are not") {
    const auto answer = Rule().evaluate(walk(7, kEvening));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].title == "Uvanlig mye aktivitet på natt");
    CHECK(has(answer.findings[0].explanation, "Mange romskifter på natt"));
    CHECK(answer.findings[0].since == "2026-01-15T21:00:00Z");
    CHECK(answer.findings[0].until == "2026-01-16T06:00:00Z");
    CHECK(has(answer.findings[0].evidence, R"("room_switches":6,"door_involved":false)"));
    CHECK(has(answer.findings[0].evidence, R"("event_ids":["e2","e3","e4","e5","e6","e7"])"));
    CHECK(answer.reason == "6 changes of room, at most 10 minutes apart, among 7 events of the night; 6 are wandering");
    const auto fewer = Rule().evaluate(walk(6, kEvening));
    CHECK(fewer.not_met());
    CHECK(fewer.reason == "5 changes of room, at most 10 minutes apart, among 6 events of the night; 6 are wandering");
}

TEST_CASE("a change of room counts only soon after the last event, in whole minutes") {
    const auto changes = [](const char* gap, const char* second) {
        Window window("2026-01-15T12:00:00Z", kEvening);
        window.event("a", "2026-01-15T23:00:00Z", "motion", in_room("gang")).event("b", second, "motion", in_room("stue"));
        return Rule(std::string(R"({"switch_threshold": 1, "switch_gap_max_min": )") + gap + "}").evaluate(window).met();
    };
    CHECK(changes("10", "2026-01-15T23:10:59.999999Z"));
    CHECK_FALSE(changes("10", "2026-01-15T23:11:00Z"));
    CHECK(changes("0", "2026-01-15T23:00:00Z"));
    CHECK_FALSE(changes("-1", "2026-01-15T23:00:00Z"));
}

TEST_CASE("staying in a room, being off and having no room are no steps") {
    const auto steps = [](const char* payload) {
        Window window = walk(6, kEvening);
        window.event("last", "2026-01-15T23:06:00Z", "presence", payload);
        return Rule().evaluate(window).met();
    };
    CHECK(steps(R"({"room_id": "stue"})"));
    CHECK(steps(R"({"room": "stue", "state": "ON"})"));
    CHECK_FALSE(steps(R"({"room_id": "gang"})"));
    CHECK_FALSE(steps(R"({"room_id": "stue", "state": "off"})"));
    CHECK_FALSE(steps(R"({"room_id": "", "state": "on"})"));
    CHECK_FALSE(steps(R"("on")"));
}

TEST_CASE("an event in the old room breaks the gap, not the walk") {
    Window window("2026-01-15T12:00:00Z", kEvening);
    window.event("a", "2026-01-15T23:00:00Z", "motion", in_room("gang"))
        .event("b", "2026-01-15T23:09:00Z", "motion", in_room("gang"));
    window.event("c", "2026-01-15T23:18:00Z", "motion", in_room("stue"));
    CHECK(Rule(R"({"switch_threshold": 1})").evaluate(window).met());
}

TEST_CASE("a use of the front door in the same night makes it HIGH") {
    const auto severity = [](const char* time, const char* room) {
        return Rule().evaluate(walk(7, kEvening).event("d", time, "door", in_room(room))).findings.at(0).severity;
    };
    CHECK(severity("2026-01-16T03:00:00Z", "inngang") == "HIGH");
    CHECK(severity("2026-01-15T21:00:00Z", "inngang") == "HIGH");
    CHECK(severity("2026-01-15T20:59:59Z", "inngang") == "MEDIUM");
    CHECK(severity("2026-01-16T06:00:00Z", "inngang") == "MEDIUM");
    CHECK(severity("2026-01-16T03:00:00Z", "bod") == "MEDIUM");
    CHECK(has(Rule().evaluate(walk(7, kEvening).event("d", "2026-01-15T23:30:00Z", "door", in_room("inngang"))).reason,
              "; the front door was used"));
}

TEST_CASE("more than a hundred changes are counted, and a hundred listed") {
    Window window("2026-01-15T12:00:00Z", kEvening);
    for (int i = 0; i < 150; ++i)
        window.event("e" + std::to_string(i), "2026-01-15T23:00:00." + std::to_string(100 + i) + "Z", "motion",
                     in_room(i % 2 ? "gang" : "stue"));
    const auto evidence = Rule().evaluate(window).findings.at(0).evidence;
    CHECK(has(evidence, R"("room_switches":149)"));
    CHECK(has(evidence, R"("e100"])"));
}

TEST_CASE("changes of room can be asked for within an hour, and those of the densest hour are shown") {
    Window window = walk(5, kEvening);
    for (int i = 0; i < 6; ++i)
        window.event("m" + std::to_string(i), "2026-01-16T03:0" + std::to_string(i) + ":00Z", "motion",
                     in_room(i % 2 ? "gang" : "stue"));
    CHECK(has(Rule().evaluate(window).findings.at(0).evidence, R"("room_switches":9)"));
    CHECK(Rule(R"({"switch_within_minutes": 60})").evaluate(window).not_met());
    const auto answer = Rule(R"({"switch_within_minutes": 60, "switch_threshold": 5})").evaluate(window);
    REQUIRE(answer.met());
    CHECK(has(answer.findings[0].evidence, R"("event_ids":["m1","m2","m3","m4","m5"])"));
    CHECK(answer.reason ==
          "5 changes of room in 60 minutes, at most 10 minutes apart, among 11 events of the night; 5 are wandering");
    CHECK(Rule(R"({"switch_within_minutes": 4, "switch_threshold": 5})").evaluate(window).not_met());
    CHECK(Rule(R"({"switch_within_minutes": 5, "switch_threshold": 5})").evaluate(window).met());
    CHECK(Rule(R"({"switch_within_minutes": -1})").refused_param == "switch_within_minutes");
}

TEST_CASE("hours that are no hours are refused by their name, when the configuration is loaded") {
    for (const char* params : {R"({"night_start_hour": 24})", R"({"night_start_hour": -1})"})
        CHECK(Rule(params).refused_param == "night_start_hour");
    CHECK(Rule(R"({"night_end_hour": 24})").refused_param == "night_end_hour");
    CHECK(Rule(R"({"night_end_hour": 24})").status == VARDE_E_PARAM);
    CHECK(Rule(R"({"night_containing_until": "yes"})").refused_param == "night_containing_until");
}

TEST_CASE("bug 12: equal hours mean that there is no night, in the reference and in ours") {
    CHECK(Rule(R"({"night_start_hour": 22, "night_end_hour": 22})").evaluate(walk(7, kEvening)).not_met());
    CHECK(Rule(R"({"night_start_hour": 22, "night_end_hour": 22, "night_containing_until": true})")
              .evaluate(walk(7, kNight))
              .not_met());
}

TEST_CASE("bug 3: after midnight the reference looks at the coming evening") {
    CHECK(Rule().evaluate(walk(7, kNight)).not_met());
    CHECK(Rule().evaluate(walk(7, kEvening)).valid_until == "2026-01-15T23:00:00Z");
    CHECK(Rule().evaluate(walk(7, kNight)).valid_until == "2026-01-16T23:00:00Z");
}

TEST_CASE("bug 3: ours looks at the night that is, and by day at the last one") {
    for (const char* until :
         {kNight, "2026-01-16T05:59:59Z", "2026-01-16T06:00:00Z", "2026-01-16T12:00:00Z", "2026-01-16T20:59:59.999999Z"}) {
        const auto answer = Rule(kSound).evaluate(walk(7, until));
        REQUIRE_MESSAGE(answer.met(), until);
        CHECK(answer.findings[0].since == "2026-01-15T21:00:00Z");
        CHECK(answer.valid_until == "2026-01-16T21:00:00Z");
    }
    CHECK(Rule(kSound).evaluate(walk(7, "2026-01-16T21:00:00Z")).not_met());
}

TEST_CASE("bug 7: the reference reads events after until") {
    CHECK(Rule().evaluate(walk(7, "2026-01-15T22:00:00Z")).met());
    CHECK(Rule().evaluate(walk(7, "2026-01-15T22:00:00Z")).findings.at(0).until == "2026-01-16T06:00:00Z");
}

TEST_CASE("bug 7: ours never does, nor does it count a door that is still to come") {
    CHECK(Rule(kSound).evaluate(walk(7, "2026-01-15T23:06:00Z")).not_met());
    const auto answer = Rule(kSound).evaluate(
        walk(7, "2026-01-15T23:06:00.000001Z").event("d", "2026-01-15T23:30:00Z", "door", in_room("inngang")));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].until == "2026-01-15T23:06:00.000001Z");
}

TEST_CASE("bug 9: in the reference a falsy state is a step, and 1.0 is not") {
    const auto step = [](const char* state) {
        const std::string payload = std::string(R"({"room_id": "stue", "state": )") + state + "}";
        return Rule().evaluate(walk(6, kEvening).event("last", "2026-01-15T23:06:00Z", "presence", payload)).met();
    };
    for (const char* state : {"0", "false", "\"\"", "null"}) CHECK(step(state));
    for (const char* state : {"1.0", "1", "true"}) CHECK_FALSE(step(state));
}

TEST_CASE("bug 9: ours reads a state as what it means") {
    const auto step = [](const char* state) {
        const std::string payload = std::string(R"({"room_id": "stue", "state": )") + state + "}";
        return Rule(R"({"typed_states": true})")
            .evaluate(walk(6, kEvening).event("last", "2026-01-15T23:06:00Z", "presence", payload))
            .met();
    };
    for (const char* state : {"0", "false", "\"\"", "0.0"}) CHECK_FALSE(step(state));
    for (const char* state : {"1.0", "1", "true", "null"}) CHECK(step(state));
}

TEST_CASE("bug 10: the reference does not see events that are mapped to a room by the host") {
    const auto mapped = walk(6, kEvening).add({.id = "m", .time = "2026-01-15T23:06:00Z", .category = "motion", .room = "stue"});
    CHECK(Rule().evaluate(mapped).not_met());
}

TEST_CASE("bug 10: ours takes the room the host derived") {
    const auto mapped = walk(6, kEvening).add({.id = "m", .time = "2026-01-15T23:06:00Z", .category = "motion", .room = "stue"});
    const auto answer = Rule(R"({"use_derived_room": true})").evaluate(mapped);
    REQUIRE(answer.met());
    CHECK(has(answer.findings[0].evidence, R"("e6","m"])"));
}

TEST_CASE("a night with a change of the clock is an hour shorter or longer") {
    const auto span = [](const char* until) {
        Window window("2025-10-01T00:00:00Z", until);
        const std::string second = std::string(until).substr(0, 11) + "00:05:00Z",
                          first = std::string(until).substr(0, 11) + "00:04:00Z";
        window.event("a", first, "motion", in_room("gang")).event("b", second, "motion", in_room("stue"));
        const auto answer = Rule(R"({"switch_threshold": 1, "night_containing_until": true})").evaluate(window);
        return answer.findings.at(0).since + " " + answer.findings.at(0).until;
    };
    CHECK(span("2026-03-29T09:00:00Z") == "2026-03-28T21:00:00Z 2026-03-29T05:00:00Z");
    CHECK(span("2025-10-26T09:00:00Z") == "2025-10-25T20:00:00Z 2025-10-26T06:00:00Z");
}
