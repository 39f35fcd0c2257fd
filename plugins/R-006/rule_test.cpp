#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/test.hpp>
#include <varde/testing/ticks.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kNoon = "2026-01-15T11:00:00Z";  // in Oslo; the day began at 07:00Z and ends at 19:00Z
constexpr const char* kSound = R"({"evaluate_at_until": true, "minimum_elapsed_minutes": 240})";

Window until(const char* time) { return {"2026-01-15T00:00:00Z", time}; }
Window with(const char* time, const char* category, const char* payload) {
    return until(kNoon).event("e", time, category, payload);
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a day without anybody in the living room is found") {
    const auto answer = Rule().evaluate(with("2026-01-15T08:00:00Z", "presence", R"({"room_id": "soverom", "state": "on"})"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "LOW");
    CHECK(answer.findings[0].title == "Ingen aktivitet i stuen på dagtid");
    CHECK(has(answer.findings[0].explanation, "i stuen i dagvinduet"));
    CHECK(answer.findings[0].since == "2026-01-15T07:00:00Z");
    CHECK(answer.findings[0].until == "2026-01-15T19:00:00Z");
    CHECK(answer.findings[0].evidence ==
          R"({"tz":"Europe/Oslo","day_start_hour":8,"day_end_hour":20,"living_room_id":"stue","front_door_room_id":"inngang",)"
          R"("door_seen":false,"other_presence":true,"event_ids":["e"]})");
    CHECK(answer.reason == "nobody was in stue in 240 minutes of the day; somebody was in another room");
    CHECK(answer.valid_until == "2026-01-15T19:00:00Z");
}

TEST_CASE("one presence in the living room is enough, from the first instant of the day on") {
    const auto quiet = [](const char* time, const char* payload) {
        return Rule().evaluate(with(time, "presence", payload)).not_met();
    };
    CHECK(quiet("2026-01-15T07:00:00Z", R"({"room_id": "stue", "state": "on"})"));
    CHECK(quiet("2026-01-15T08:00:00Z", R"({"room": "stue"})"));
    CHECK(quiet("2026-01-15T08:00:00Z", R"({"room_id": "stue", "value": "ON"})"));
    CHECK_FALSE(quiet("2026-01-15T06:59:59.999999Z", R"({"room_id": "stue", "state": "on"})"));
    CHECK_FALSE(quiet("2026-01-15T08:00:00Z", R"({"room_id": "stue", "state": "off"})"));
    CHECK_FALSE(quiet("2026-01-15T08:00:00Z", R"({"room_id": "Stue", "state": "on"})"));
    const auto answer = Rule().evaluate(with("2026-01-15T08:00:00Z", "presence", R"({"room_id": "stue"})"));
    CHECK(answer.reason == "somebody was in stue in 240 minutes of the day");
    CHECK(answer.valid_until == "2026-01-16T07:00:00Z");
}

TEST_CASE("movement in the living room counts only where it is said to") {
    const auto moved = with("2026-01-15T08:00:00Z", "motion", R"({"room_id": "stue", "state": "on"})");
    CHECK(Rule().evaluate(moved).met());
    CHECK(Rule(R"({"presence_categories": ["presence", "motion"]})").evaluate(moved).not_met());
    CHECK(Rule(R"({"presence_categories": ["sofa"]})")
              .evaluate(with("2026-01-15T08:00:00Z", "sofa", R"({"room": "stue"})"))
              .not_met());
}

TEST_CASE("a used front door and somebody in another room together are an explanation, alone they are not") {
    Window door = with("2026-01-15T08:00:00Z", "door", R"({"room_id": "inngang", "state": "closed"})");
    CHECK(Rule().evaluate(door).reason == "nobody was in stue in 240 minutes of the day; the front door was used");
    CHECK(has(Rule().evaluate(door).findings.at(0).evidence, R"("door_seen":true,"other_presence":false)"));
    door.event("p", "2026-01-15T09:00:00Z", "presence", R"({"room_id": "gang"})");
    const auto answer = Rule().evaluate(door);
    CHECK(answer.not_met());
    CHECK(has(answer.reason, ", but the front door was used and somebody was in another room"));
    CHECK(Rule(R"({"front_door_room_id": "bod"})").evaluate(door).met());
}

TEST_CASE("outside the day it is silent, and says when it is asked again") {
    const auto before = Rule().evaluate(until("2026-01-15T06:59:59.999999Z")),
               after = Rule().evaluate(until("2026-01-15T19:00:00Z"));
    CHECK(before.not_met());
    CHECK(before.reason == "it is not day: 8 to 20 in Europe/Oslo");
    CHECK(before.valid_until == "2026-01-15T07:00:00Z");
    CHECK(after.not_met());
    CHECK(after.valid_until == "2026-01-16T07:00:00Z");
    CHECK(Rule(kSound).evaluate(until("2026-01-15T06:00:00Z")).valid_until == "2026-01-15T11:00:00Z");
    CHECK(Rule(kSound).evaluate(until("2026-01-15T20:00:00Z")).valid_until == "2026-01-16T11:00:00Z");
}

TEST_CASE("the day is that of the zone, with summer time") {
    CHECK(Rule().evaluate(until("2026-07-15T06:00:00Z")).findings.at(0).since == "2026-07-15T06:00:00Z");
    CHECK(Rule(R"({"tz": "No/Where"})").evaluate(until("2026-01-15T08:00:00Z")).findings.at(0).since == "2026-01-15T08:00:00Z");
}

TEST_CASE("a day whose end is not after its start has no hours") {
    for (const char* params : {R"({"day_start_hour": 20, "day_end_hour": 8})", R"({"day_start_hour": 8, "day_end_hour": 8})"}) {
        const auto answer = Rule(params).evaluate(until(kNoon));
        CHECK(answer.not_met());
        CHECK(answer.valid_until == "never");
    }
}

TEST_CASE("the first fifty events are listed") {
    Window window = until(kNoon);
    for (int i = 0; i < 60; ++i) window.event("e" + std::to_string(i), "2026-01-15T08:00:00Z", "motion", "{}");
    const auto evidence = Rule().evaluate(window).findings.at(0).evidence;
    CHECK(has(evidence, R"("e49"]})"));
    CHECK_FALSE(has(evidence, "\"e50\""));
}

TEST_CASE("hours that are no hours, and a wait that outlasts the day, are refused and named") {
    for (const char* params : {R"({"day_start_hour": 24})", R"({"day_start_hour": -1})", R"({"params": {"day_start_hour": 24}})"})
        CHECK(has(Rule(params).refused_param, "day_start_hour"));
    CHECK(Rule(R"({"day_end_hour": 99})").refused_param == "day_end_hour");
    const Rule rule(R"({"minimum_elapsed_minutes": 720})");
    CHECK(rule.refused_param == "minimum_elapsed_minutes");
    CHECK(rule.refusal == "720 is not shorter than the day, 720 minutes: it would never speak");
    CHECK(Rule(R"({"minimum_elapsed_minutes": 719})").created());
    CHECK(Rule(R"({"minimum_elapsed_minutes": null})").refused_param == "minimum_elapsed_minutes");
}

TEST_CASE("bug 7: the reference speaks at the first moment of the day, on an empty log") {
    CHECK(Rule().evaluate(until("2026-01-15T07:00:00Z")).met());
}

TEST_CASE("bug 7: ours waits until enough of the day has passed") {
    const auto early = Rule(kSound).evaluate(until("2026-01-15T10:59:59.999999Z"));
    CHECK(early.not_met());
    CHECK(early.reason == "only 239 minutes of the day have passed, 240 are waited for");
    CHECK(early.valid_until == "2026-01-15T11:00:00Z");
    CHECK(Rule(kSound).evaluate(until(kNoon)).met());
}

TEST_CASE("bug 7: the reference looks at the clock, so a day of the past is never judged") {
    const Window past("2026-01-15T00:00:00Z", kNoon, "2026-03-01T11:00:00Z");
    CHECK(Rule().evaluate(past).not_met());
    CHECK(Rule().evaluate(past).valid_until == "ask always");
    CHECK(Rule().evaluate(Window("2026-01-15T00:00:00Z", kNoon, "2026-01-15T18:00:00Z")).met());
}

TEST_CASE("bug 7: ours judges the moment it is asked about") {
    CHECK(Rule(kSound).evaluate(Window("2026-01-15T00:00:00Z", kNoon, "2026-03-01T11:00:00Z")).met());
    CHECK(Rule(kSound).evaluate(Window("2026-01-15T00:00:00Z", "2026-01-15T05:00:00Z", kNoon)).not_met());
}

TEST_CASE("bug 7: the reference reads events after until") {
    CHECK(Rule().evaluate(with("2026-01-15T15:00:00Z", "presence", R"({"room_id": "stue"})")).not_met());
}

TEST_CASE("bug 7: ours never does, and its window ends at until") {
    const auto answer = Rule(kSound).evaluate(with("2026-01-15T15:00:00Z", "presence", R"({"room_id": "stue"})"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].until == kNoon);
    CHECK(has(answer.findings[0].evidence, R"("event_ids":[])"));
    CHECK(Rule(kSound).evaluate(with("2026-01-15T11:00:00Z", "presence", R"({"room_id": "stue"})")).met());
}

TEST_CASE("bug 9: in the reference a falsy state is presence, and 1.0 is not") {
    const auto there = [](const char* state) {
        const std::string payload = std::string(R"({"room_id": "stue", "state": )") + state + "}";
        return Rule().evaluate(with("2026-01-15T08:00:00Z", "presence", payload.c_str())).not_met();
    };
    for (const char* state : {"0", "false", "\"\"", "null"}) CHECK(there(state));
    for (const char* state : {"1.0", "1", "true"}) CHECK_FALSE(there(state));
}

TEST_CASE("bug 9: ours reads a state as what it means") {
    const auto there = [](const char* state) {
        const std::string payload = std::string(R"({"room_id": "stue", "state": )") + state + "}";
        return Rule(R"({"typed_states": true})").evaluate(with("2026-01-15T08:00:00Z", "presence", payload.c_str())).not_met();
    };
    for (const char* state : {"0", "false", "\"\"", "\"unavailable\""}) CHECK_FALSE(there(state));
    for (const char* state : {"1.0", "1", "true", "null"}) CHECK(there(state));
}

TEST_CASE("bug 10: the reference does not see a sensor that is mapped to the room by the host") {
    CHECK(Rule()
              .evaluate(until(kNoon).add({.id = "m", .time = "2026-01-15T08:00:00Z", .category = "presence", .room = "stue"}))
              .met());
}

TEST_CASE("bug 10: ours takes the room the host derived") {
    const auto mapped = until(kNoon).add({.id = "m", .time = "2026-01-15T08:00:00Z", .category = "presence", .room = "stue"});
    CHECK(Rule(R"({"use_derived_room": true})").evaluate(mapped).not_met());
}

TEST_CASE("bug 11: the reference gives row numbers; ours gives the ids of the events, by default too") {
    Window window = until(kNoon);
    window.event("0b4c1a52-0006-4000-8000-000000000001", "2026-01-15T08:00:00Z", "motion", "{}");
    CHECK(has(Rule().evaluate(window).findings.at(0).evidence, R"("event_ids":["0b4c1a52-0006-4000-8000-000000000001"])"));
}

TEST_CASE("the reference finds a home without a sensor in the living room every day, and an empty log") {
    CHECK(Rule().evaluate(with("2026-01-15T08:00:00Z", "presence", R"({"room_id": "soverom"})")).met());
    CHECK(Rule().evaluate(until(kNoon)).met());
}

TEST_CASE("ours has no data on a living room that has sent nothing for days") {
    const char* params = R"({"evaluate_at_until": true, "sensor_memory_days": 7})";
    const auto heard = [&](const char* time, const char* payload) {
        return Rule(params).evaluate(
            with("2026-01-15T08:00:00Z", "presence", R"({"room_id": "soverom"})").event("living", time, "presence", payload));
    };
    const auto unheard = heard("2026-01-08T10:59:59Z", R"({"room_id": "stue", "state": "off"})");
    CHECK(unheard.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(unheard.reason == "stue has sent nothing in 7 days");
    CHECK(unheard.valid_until == "2026-01-15T19:00:00Z");
    CHECK(heard("2026-01-08T11:00:00Z", R"({"room_id": "stue", "state": "off"})").met());
    CHECK(heard("2026-01-14T11:00:00Z", R"({"room_id": "kjokken", "state": "on"})").outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(Rule(params).evaluate(until(kNoon)).outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(Rule(R"({"sensor_memory_days": 32})").refused_param == "sensor_memory_days");
}

TEST_CASE("ours has no data on a day on which nobody was seen at all") {
    const char* params = R"({"evaluate_at_until": true, "must_be_seen_elsewhere": true})";
    const auto away = Rule(params).evaluate(with("2026-01-15T08:00:00Z", "door", R"({"room_id": "inngang"})"));
    CHECK(away.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(away.reason == "nobody was seen at all in 240 minutes of the day");
    CHECK(Rule(params).evaluate(with("2026-01-15T08:00:00Z", "presence", R"({"room_id": "soverom"})")).met());
    CHECK(Rule(params).evaluate(until(kNoon)).outcome == VARDE_OUTCOME_NO_DATA);
}

TEST_CASE("no answer changes before it says, over days with and without somebody in the living room") {
    Rule rule(
        R"({"evaluate_at_until": true, "minimum_elapsed_minutes": 240, "sensor_memory_days": 1,
                  "must_be_seen_elsewhere": true})");
    const auto event = [](const char* time, const char* payload) {
        return varde::test::Event{.id = time, .time = time, .category = "presence", .payload = payload};
    };
    const char *living = R"({"room_id": "stue", "state": "on"})", *bedroom = R"({"room_id": "soverom", "state": "on"})";
    CHECK(varde::test::broken_promise(rule,
                                      {event("2026-01-12T09:00:00Z", living), event("2026-01-12T14:00:00Z", living),
                                       event("2026-01-13T08:00:00Z", bedroom), event("2026-01-15T09:00:00Z", bedroom)},
                                      "2026-01-12T05:00:00Z", "2026-01-16T12:00:00Z", varde::test::kDay / 2) == "");
}
