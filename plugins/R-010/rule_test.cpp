#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/testing/ticks.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kFirst = R"({"count_from_first_on": true})";
constexpr const char* kRemember = R"({"count_from_first_on": true, "memory_minutes": 4320})";

/// An hour that ends at noon, in a home that sent a heartbeat a minute before.
Window alive() {
    return Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z").event("beat", "2026-01-15T11:59:00Z", "heartbeat", "{}");
}
std::string says(std::string_view room, std::string_view state) {
    return R"({"room_id": ")" + std::string(room) + R"(", "state": )" + std::string(state) + "}";
}
Window& add(Window& window, std::string id, std::string time, std::string_view room, std::string_view state = R"("on")") {
    return window.event(std::move(id), std::move(time), "presence", says(room, state));
}
Window on_since(std::string time, std::string_view room = "baderom") {
    Window window = alive();
    return add(window, "on", std::move(time), room);
}
bool names(const varde::test::Answer& answer, std::string_view part) {
    return !answer.findings.empty() && answer.findings[0].evidence.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sensor that has been on for four hours is stuck") {
    const auto answer = Rule().evaluate(on_since("2026-01-15T08:00:00Z"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].title == "Sensor kan ha hengt seg");
    CHECK(answer.findings[0].since == "2026-01-15T07:00:00Z");
    CHECK(answer.findings[0].until == "2026-01-15T12:00:00Z");
    CHECK(answer.findings[0].evidence ==
          R"({"stuck_minutes":240,"lookback_minutes":300,"cutoff_ts":"2026-01-15T08:00:00+00:00","stuck_rooms":["baderom"],)"
          R"("per_room":{"baderom":{"severity":"MEDIUM","last_on_ts":"2026-01-15T08:00:00+00:00","last_on_event_id":"on"}},)"
          R"("liveness_gated_by":"R-009"})");
    CHECK(answer.reason == "baderom has been on for 240 minutes, 240 are stuck");
    CHECK(answer.valid_until == "2026-01-15T12:15:00Z");  // then the heartbeat is too old
}

TEST_CASE("it is asked again when the four hours are over") {
    auto window = on_since("2026-01-15T08:00:00.000001Z");
    const auto answer = Rule().evaluate(window);
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2026-01-15T12:00:00.000001Z");
    CHECK(answer.reason == "baderom has been on for 239 minutes, 240 are stuck");
    CHECK(Rule().evaluate(alive()).reason == "no room is on");
}

TEST_CASE("an off releases a sensor also at the same instant, unavailable does not") {
    auto off = on_since("2026-01-15T08:00:00Z");
    CHECK(Rule().evaluate(add(off, "off", "2026-01-15T08:00:00Z", "baderom", R"("off")")).not_met());
    auto before = alive();
    add(before, "off", "2026-01-15T08:00:00Z", "baderom", R"("off")");
    add(before, "on", "2026-01-15T08:00:00Z", "baderom");
    CHECK(Rule().evaluate(before).not_met());
    CHECK(Rule(kFirst).evaluate(before).not_met());
    auto gone = on_since("2026-01-15T08:00:00Z");
    CHECK(Rule().evaluate(add(gone, "x", "2026-01-15T09:00:00Z", "baderom", R"("unavailable")")).met());
    auto other = on_since("2026-01-15T08:00:00Z");
    CHECK(Rule().evaluate(add(other, "off", "2026-01-15T09:00:00Z", "stue", R"("off")")).met());
}

TEST_CASE("all rooms are in one finding, in order of their names, as severe as the worst") {
    auto window = on_since("2026-01-15T07:30:00Z", "stue");
    add(window, "a", "2026-01-15T07:45:00Z", "inngang");
    add(window, "b", "2026-01-15T09:45:00Z", "gang");
    const auto answer = Rule().evaluate(window);
    REQUIRE(answer.met());
    CHECK(answer.findings.size() == 1);
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(names(answer, R"("stuck_rooms":["inngang","stue"])"));
    CHECK(names(answer, R"("stue":{"severity":"LOW")"));
}

TEST_CASE("bug 1: the reference judges another home's sensor too; a window of ours holds one home") {
    auto both_homes = alive();
    add(both_homes, "neighbour", "2026-01-15T07:30:00Z", "baderom");
    CHECK(names(Rule().evaluate(both_homes), R"("last_on_event_id":"neighbour")"));
    CHECK(Rule().evaluate(alive()).not_met());  // the host gives nothing else: peer_bugs.jsonl in tests/conformance
}

TEST_CASE("bug 4: to the reference a repeated on is a new beginning") {
    auto window = on_since("2026-01-15T07:30:00Z");
    add(window, "again", "2026-01-15T11:30:00Z", "baderom");
    CHECK(Rule().evaluate(window).not_met());
}

TEST_CASE("bug 4: with count_from_first_on a repeated on changes nothing") {
    auto window = on_since("2026-01-15T07:30:00Z");
    add(window, "again", "2026-01-15T11:30:00Z", "baderom");
    const auto answer = Rule(kFirst).evaluate(window);
    REQUIRE(answer.met());
    CHECK(names(answer, R"("last_on_ts":"2026-01-15T11:30:00+00:00","last_on_event_id":"again",)"
                        R"("on_since_ts":"2026-01-15T07:30:00+00:00","on_since_event_id":"on")"));
}

TEST_CASE("bug 4: the reference forgets a stuck sensor an hour after it found it") {
    CHECK(Rule().evaluate(on_since("2026-01-15T07:00:00Z")).met());
    CHECK(Rule().evaluate(on_since("2026-01-15T06:59:59.999999Z")).not_met());
}

TEST_CASE("bug 4: with memory_minutes a stuck sensor is remembered for days") {
    const auto answer = Rule(kRemember).evaluate(on_since("2026-01-12T12:00:00Z"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].since == "2026-01-12T12:00:00Z");
    CHECK(answer.valid_until == "2026-01-15T12:00:00.000001Z");
    CHECK(Rule(kRemember).evaluate(on_since("2026-01-12T11:59:59.999999Z")).not_met());
}

TEST_CASE("counting begins anew after an off") {
    auto window = on_since("2026-01-15T02:00:00Z");
    add(window, "off", "2026-01-15T08:30:00Z", "baderom", R"("off")");
    add(window, "again", "2026-01-15T09:00:00Z", "baderom");
    const auto answer = Rule(kRemember).evaluate(window);
    CHECK(answer.not_met());
    CHECK(answer.reason == "baderom has been on for 180 minutes, 240 are stuck");
}

TEST_CASE("bug 4: low_rooms does nothing to the reference") {
    CHECK(Rule(R"({"low_rooms": ["baderom"]})").evaluate(on_since("2026-01-15T08:00:00Z")).findings.at(0).severity == "MEDIUM");
    CHECK(Rule(R"({"low_rooms": ["stue"]})").evaluate(on_since("2026-01-15T08:00:00Z", "gang")).met());
}

TEST_CASE("bug 4: with use_low_rooms a room of low_rooms is LOW and one of neither list is left alone") {
    constexpr const char* kLow = R"({"use_low_rooms": true, "low_rooms": ["baderom", "stue"]})";
    CHECK(Rule(kLow).evaluate(on_since("2026-01-15T08:00:00Z")).findings.at(0).severity == "LOW");
    CHECK(Rule(kLow).evaluate(on_since("2026-01-15T08:00:00Z", "inngang")).findings.at(0).severity == "MEDIUM");
    CHECK(Rule(kLow).evaluate(on_since("2026-01-15T08:00:00Z", "gang")).not_met());
    CHECK(Rule(R"({"use_low_rooms": true})").evaluate(on_since("2026-01-15T08:00:00Z", "gang")).met());
}

TEST_CASE("a bed may be in use for longer than a bathroom") {
    constexpr const char* kOther = R"({"other_rooms_stuck_minutes": 960, "lookback_minutes": 1440})";
    const auto asleep = Rule(kOther).evaluate(on_since("2026-01-15T02:00:00Z", "soverom"));
    CHECK(asleep.not_met());
    CHECK(asleep.reason == "soverom has been on for 600 minutes, 960 are stuck");
    CHECK(Rule(kOther).evaluate(on_since("2026-01-14T20:00:00Z", "soverom")).met());
    CHECK(Rule(kOther).evaluate(on_since("2026-01-15T02:00:00Z", "baderom")).met());
}

TEST_CASE("bug 5: a silent home is nothing found to the reference, whatever R-009 is told") {
    Window silent("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z");
    add(silent, "on", "2026-01-15T07:30:00Z", "baderom");
    CHECK(Rule().evaluate(silent).not_met());
    CHECK(Rule(R"({"max_age_minutes": 300})").evaluate(silent).not_met());
    CHECK(Rule(R"({"liveness_max_age_minutes": 300})").evaluate(silent).met());
}

TEST_CASE("bug 5: with shared_liveness a silent home is no data, and R-009's parameters say what is silent") {
    Window silent("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z");
    add(silent, "on", "2026-01-15T07:30:00Z", "baderom");
    const auto answer = Rule(R"({"shared_liveness": true})").evaluate(silent);
    CHECK(answer.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(answer.reason ==
          "the home is silent: the newest event of presence, motion, door, heartbeat is 270 minutes old, 15 are allowed");
    CHECK(Rule(R"({"shared_liveness": true, "max_age_minutes": 300})").evaluate(silent).met());
    CHECK(
        Rule(R"({"shared_liveness": true, "max_age_minutes": 300, "liveness_categories": ["door"]})").evaluate(silent).outcome ==
        VARDE_OUTCOME_NO_DATA);
}

TEST_CASE("bug 8: an event from next year opens the reference's gate, and does not when it is not to count") {
    Window ahead = Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z").event("x", "2027-01-15T00:00:00Z", "motion");
    add(ahead, "on", "2026-01-15T07:30:00Z", "baderom");
    CHECK(Rule().evaluate(ahead).met());
    CHECK(Rule(R"({"shared_liveness": true, "ignore_future_events": true})").evaluate(ahead).outcome == VARDE_OUTCOME_NO_DATA);
}

TEST_CASE("bug 9: to the reference a false is no off, and a 1 is no on") {
    auto released = on_since("2026-01-15T08:00:00Z");
    add(released, "off", "2026-01-15T09:00:00Z", "baderom", "false");
    CHECK(Rule().evaluate(released).met());
    CHECK(Rule(R"({"typed_states": true})").evaluate(released).not_met());
    auto one = alive();
    add(one, "one", "2026-01-15T08:00:00Z", "baderom", "1.0");
    CHECK(Rule().evaluate(one).not_met());
    CHECK(Rule(R"({"typed_states": true})").evaluate(one).met());
}

TEST_CASE("bug 10: a sensor that was mapped to a room is invisible to the reference, and seen by its derived room") {
    auto window = alive().add({.id = "on",
                               .time = "2026-01-15T08:00:00Z",
                               .category = "presence",
                               .payload = R"({"entity_id": "binary_sensor.7", "state": "on"})",
                               .room = "baderom"});
    CHECK(Rule().evaluate(window).not_met());
    CHECK(names(Rule(R"({"use_derived_room": true})").evaluate(window), R"("stuck_rooms":["baderom"])"));
}

TEST_CASE("bug 11: the reference gives no event_ids, and list_event_ids gives the event each room is counted from") {
    auto window = on_since("2026-01-15T07:30:00Z");
    add(window, "again", "2026-01-15T07:50:00Z", "baderom");
    CHECK_FALSE(names(Rule().evaluate(window), "event_ids"));
    CHECK(names(Rule(R"({"list_event_ids": true})").evaluate(window), R"("liveness_gated_by":"R-009","event_ids":["again"])"));
    CHECK(names(Rule(R"({"list_event_ids": true, "count_from_first_on": true})").evaluate(window), R"("event_ids":["on"])"));
}

TEST_CASE("bug 13: four hours to the microsecond are stuck, as in the reference's code and not in its specification") {
    CHECK(Rule().evaluate(on_since("2026-01-15T08:00:00Z")).met());
    CHECK(Rule(R"({"stuck_minutes": 241})").evaluate(on_since("2026-01-15T08:00:00Z")).not_met());
}

TEST_CASE("rooms that are no texts are named as Python would") {
    auto window = alive().event("l", "2026-01-15T08:00:00Z", "presence", R"({"room_id": ["baderom"], "state": "on"})");
    CHECK(names(Rule().evaluate(window), R"("stuck_rooms":["['baderom']"])"));
    CHECK(Rule().evaluate(alive().event("n", "2026-01-15T08:00:00Z", "presence", R"({"state": "on"})")).not_met());
}

TEST_CASE("a thousand stuck rooms are no error; three hundred are named") {
    auto window = alive();
    for (int room = 1000; room < 2000; ++room) add(window, "e", "2026-01-15T08:00:00Z", "rom" + std::to_string(room));
    const auto answer = Rule(R"({"count_from_first_on": true, "list_event_ids": true})").evaluate(window);
    CHECK(answer.met());
    CHECK(names(answer, "rom1299"));
    CHECK_FALSE(names(answer, "rom1300"));
}

TEST_CASE("bug 12: parameters that cannot be used are refused when the rule is made") {
    CHECK(Rule(R"({"stuck_minutes": 1000000000000})").refused_param == "stuck_minutes");
    CHECK(Rule(R"({"lookback_minutes": 1000000000000})").refused_param == "lookback_minutes");
    CHECK(Rule(R"({"use_low_rooms": "yes"})").refused_param == "use_low_rooms");
}

TEST_CASE("a memory that ends before a sensor counts as stuck is refused with both numbers") {
    const Rule memory(R"({"count_from_first_on": true, "memory_minutes": 240})");
    CHECK(memory.refused_param == "memory_minutes");
    CHECK(memory.refusal == "240 is not longer than the 240 of stuck_minutes: an on is forgotten before it counts as stuck");
    const Rule lookback(R"({"count_from_first_on": true, "other_rooms_stuck_minutes": 960})");
    CHECK(lookback.refused_param == "lookback_minutes");
    CHECK(lookback.refusal ==
          "300 is not longer than the 960 of other_rooms_stuck_minutes: an on is forgotten before it counts as stuck");
    CHECK(Rule(R"({"count_from_first_on": true, "memory_minutes": 241})").created());
}

TEST_CASE("an answer holds as long as it says, with and without the sound parameters") {
    auto days = alive();
    add(days, "a", "2026-01-14T06:00:30Z", "baderom");
    add(days, "b", "2026-01-14T07:00:00Z", "baderom");
    add(days, "c", "2026-01-14T08:00:00Z", "soverom");
    add(days, "d", "2026-01-14T10:30:00Z", "baderom");
    add(days, "e", "2026-01-14T13:00:00Z", "baderom", R"("off")");
    add(days, "f", "2026-01-14T20:00:00Z", "stue", "true");
    add(days, "g", "2026-01-15T03:00:00Z", "stue", "false");
    for (const char* params :
         {"{}", R"({"liveness_max_age_minutes": 600})", R"({"liveness_max_age_minutes": 2000, "count_from_first_on": true})",
          R"({"shared_liveness": true, "max_quiet_minutes": 720, "count_from_first_on": true, "memory_minutes": 1200,
              "other_rooms_stuck_minutes": 960, "typed_states": true, "ignore_future_events": true})"}) {
        Rule rule(params);
        CHECK(varde::test::broken_promise(rule, days.events(), "2026-01-14T06:00:00Z", "2026-01-16T00:00:00Z", 3'600'000'000) ==
              "");
    }
}
