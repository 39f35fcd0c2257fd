#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/testing/ticks.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kOn = R"({"room_id": "baderom", "state": "on"})";
constexpr const char* kShared = R"({"shared_liveness": true})";

/// An hour that ends at noon, in a home that moved in the living room five minutes before.
Window alive() {
    return Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z")
        .event("alive", "2026-01-15T11:55:00Z", "presence", R"({"room_id": "stue", "state": "on"})");
}
Window bathroom(std::string time, std::string payload = kOn) {
    return alive().event("bath", std::move(time), "presence", std::move(payload));
}
/// One movement in each of the `hours` hours before noon.
Window seen_in(int hours) {
    Window window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z");
    for (int hour = 12 - hours; hour < 12; ++hour)
        window.event("m" + std::to_string(hour),
                     "2026-01-15T" + std::string(hour < 10 ? "0" : "") + std::to_string(hour) + ":50:00Z", "motion",
                     R"({"room_id": "stue", "state": "on"})");
    return window;
}

}  // namespace

TEST_CASE("a day without the bathroom is found, and is about that day") {
    const auto answer = Rule().evaluate(alive());
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "LOW");
    CHECK(answer.findings[0].title == "Ingen aktivitet på badet på lenge");
    CHECK(answer.findings[0].since == "2026-01-14T12:00:00Z");
    CHECK(answer.findings[0].until == "2026-01-15T12:00:00Z");
    CHECK(answer.findings[0].evidence ==
          R"({"room_id":"baderom","lookback_hours":24,"since_ts":"2026-01-14T12:00:00+00:00","last_bathroom_ts":null,)"
          R"("event_ids":[],"liveness_gated_by":"R-009"})");
    CHECK(answer.reason ==
          "no activity in baderom, looked back 24 hours; "
          "the newest event of presence, motion, door, heartbeat is 5 minutes old, 15 are allowed");
    CHECK(answer.valid_until == "2026-01-15T12:11:00Z");
}

TEST_CASE("one visit is enough for 24 hours") {
    const auto answer = Rule().evaluate(bathroom("2026-01-14T12:00:00Z"));
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2026-01-15T12:00:00.000001Z");
    CHECK(answer.reason == "activity in baderom 1440 minutes ago, looked back 24 hours");
    CHECK(Rule().evaluate(bathroom("2026-01-14T11:59:59.999999Z")).met());
    CHECK(Rule().evaluate(bathroom("2026-01-15T12:00:00Z")).met());
    CHECK(Rule(R"({"lookback_hours": "36"})").evaluate(bathroom("2026-01-14T00:00:00Z")).not_met());
}

TEST_CASE("other rooms, other categories and an off are no visit") {
    CHECK(Rule().evaluate(bathroom("2026-01-15T08:00:00Z", R"({"room_id": "stue", "room": "baderom"})")).met());
    CHECK(Rule().evaluate(bathroom("2026-01-15T08:00:00Z", R"({"room_id": "baderom", "state": "off"})")).met());
    CHECK(Rule().evaluate(bathroom("2026-01-15T08:00:00Z", R"("baderom")")).met());
    CHECK(Rule().evaluate(alive().event("m", "2026-01-15T08:00:00Z", "motion", kOn)).met());
    CHECK(Rule(R"({"activity_categories": ["presence", "motion"]})")
              .evaluate(alive().event("m", "2026-01-15T08:00:00Z", "motion", kOn))
              .not_met());
    CHECK(Rule(R"({"bathroom_room_id": "wc"})").evaluate(bathroom("2026-01-15T08:00:00Z", R"({"room": "wc"})")).not_met());
}

TEST_CASE("an event without a state is a visit") {
    CHECK(Rule().evaluate(bathroom("2026-01-15T08:00:00Z", R"({"room_id": "baderom"})")).not_met());
    CHECK(Rule().evaluate(bathroom("2026-01-15T08:00:00Z", R"({"room_id": "baderom", "state": "ON"})")).not_met());
}

TEST_CASE("bug 5: the reference's gate ignores what R-009 is told and hides that the home is silent") {
    const Window silent = Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z")
                              .event("snap", "2026-01-15T11:55:00Z", "ha_snapshot")
                              .event("old", "2026-01-15T11:00:00Z", "motion");
    const auto answer = Rule(R"({"max_age_minutes": 75, "stream_id": "prod"})").evaluate(silent);
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "never");
}

TEST_CASE("bug 5: with shared_liveness the home is asked what R-009 asks") {
    const Window silent = Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z").event("old", "2026-01-15T11:00:00Z", "motion");
    const auto answer = Rule(kShared).evaluate(silent);
    CHECK(answer.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(answer.violations.empty());
    CHECK(answer.reason ==
          "the home is silent: the newest event of presence, motion, door, heartbeat is 60 minutes old, 15 are allowed");
    CHECK(answer.valid_until == "never");
    CHECK(Rule(R"({"shared_liveness": true, "max_age_minutes": 75})").evaluate(silent).met());
    CHECK(Rule(R"({"shared_liveness": true, "max_quiet_minutes": 720})").evaluate(silent).met());
    CHECK(Rule(R"({"shared_liveness": true, "max_age_minutes": 75, "stream_id": "sim"})").evaluate(silent).outcome ==
          VARDE_OUTCOME_NO_DATA);
}

TEST_CASE("a visit is a visit also in a home that is silent since") {
    const auto answer = Rule(kShared).evaluate(
        Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z").event("bath", "2026-01-15T03:00:00Z", "presence", kOn));
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2026-01-16T03:00:00.000001Z");
}

TEST_CASE("bug 8: an event from next year opens the reference's gate, and does not when it is not to count") {
    const Window ahead = Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z").event("x", "2027-01-15T00:00:00Z", "motion");
    CHECK(Rule().evaluate(ahead).met());
    CHECK(Rule(R"({"shared_liveness": true, "ignore_future_events": true})").evaluate(ahead).outcome == VARDE_OUTCOME_NO_DATA);
}

TEST_CASE("bug 9: a falsy state is a visit to the reference, and nobody when typed") {
    for (const char* state : {"0", "false", "\"\"", "0.0"}) {
        const auto window = bathroom("2026-01-15T08:00:00Z", std::string(R"({"room_id": "baderom", "state": )") + state + "}");
        CHECK(Rule().evaluate(window).not_met());
        CHECK(Rule(R"({"typed_states": true})").evaluate(window).met());
    }
    for (const char* state : {"1", "1.0", "true", "\"detected\""}) {
        const auto window = bathroom("2026-01-15T08:00:00Z", std::string(R"({"room_id": "baderom", "state": )") + state + "}");
        CHECK(Rule().evaluate(window).met());
        CHECK(Rule(R"({"typed_states": true})").evaluate(window).not_met());
    }
}

TEST_CASE("bug 10: a sensor that was mapped to the bathroom is invisible to the reference, and seen by its derived room") {
    auto window = alive().add({.id = "bath",
                               .time = "2026-01-15T08:00:00Z",
                               .category = "presence",
                               .payload = R"({"entity_id": "binary_sensor.7", "state": "on"})",
                               .room = "baderom"});
    CHECK(Rule().evaluate(window).met());
    CHECK(Rule(R"({"use_derived_room": true})").evaluate(window).not_met());
}

TEST_CASE("bug 11: the evidence is an object with event_ids") {
    CHECK(Rule().evaluate(alive()).findings.at(0).evidence.find(R"("event_ids":[])") != std::string::npos);
}

TEST_CASE("a home that nobody was seen in is not judged when told so") {
    constexpr const char* kLivedIn = R"({"min_seen_hours": 6})";
    const auto left = Rule(kLivedIn).evaluate(seen_in(5));
    CHECK(left.outcome == VARDE_OUTCOME_NO_DATA);
    CHECK(left.reason == "somebody was seen in 5 hours, 6 are needed, looked back 24 hours");
    CHECK(Rule().evaluate(seen_in(5)).met());
    const auto home = Rule(kLivedIn).evaluate(seen_in(6));
    CHECK(home.met());
    CHECK(home.valid_until == "2026-01-15T12:06:00Z");
}

TEST_CASE("a finding ends when the hours somebody was seen in get too few") {
    const auto answer = Rule(R"({"min_seen_hours": 2, "shared_liveness": true, "max_quiet_minutes": 2880})").evaluate(seen_in(3));
    REQUIRE(answer.met());
    CHECK(answer.valid_until == "2026-01-16T10:50:00.000001Z");
}

TEST_CASE("bug 12: parameters that cannot be used are refused when the rule is made") {
    for (const char* hours : {"1000000000", "1000000000000", "-878401"}) {
        const Rule rule(std::string(R"({"lookback_hours": )") + hours + "}");
        CHECK(rule.status == VARDE_E_PARAM);
        CHECK(rule.refused_param == "lookback_hours");
    }
    const Rule seen(R"({"lookback_hours": 12, "min_seen_hours": 13})");
    CHECK(seen.refused_param == "min_seen_hours");
    CHECK(seen.refusal == "13 hours never fit into lookback_hours, 12");
    CHECK(Rule(R"({"shared_liveness": 1})").refused_param == "shared_liveness");
    CHECK(Rule(R"({"shared_liveness": true, "max_quiet_minutes": 5})").refused_param == "max_quiet_minutes");
}

TEST_CASE("an answer holds as long as it says, with and without the sound parameters") {
    Window days("2026-01-14T00:00:00Z", "2026-01-17T00:00:00Z");
    days.event("b1", "2026-01-14T07:00:20Z", "presence", kOn).event("m1", "2026-01-14T12:10:00Z", "motion", R"({"state": "on"})");
    days.event("b2", "2026-01-14T13:20:00Z", "motion", kOn).event("d1", "2026-01-15T06:59:59Z", "door", R"({"state": "open"})");
    days.event("m2", "2026-01-15T08:30:00Z", "motion", R"({"state": "on"})").event("m3", "2026-01-15T13:05:00Z", "heartbeat");
    days.event("m4", "2026-01-15T14:00:00Z", "motion").event("b3", "2026-01-15T20:00:00Z", "presence", kOn);
    for (const char* params : {"{}", kShared, R"({"min_seen_hours": 3, "lookback_hours": 12})",
                               R"({"shared_liveness": true, "max_quiet_minutes": 720, "min_seen_hours": 2, "typed_states": true,
                                   "activity_categories": ["presence", "motion"], "ignore_future_events": true})"}) {
        Rule rule(params);
        CHECK(varde::test::broken_promise(rule, days.events(), "2026-01-14T06:00:00Z", "2026-01-17T00:00:00Z", 3'600'000'000) ==
              "");
    }
}
