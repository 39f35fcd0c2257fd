#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/testing/ticks.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kSound = R"({"ignore_future_events": true, "max_quiet_minutes": 720})";

Window hour() { return {"2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z"}; }
/// 11:00 to 12:00 with one motion at `time`.
Window moved(std::string time) { return hour().event("m", std::move(time), "motion", R"({"state": "on"})"); }

}  // namespace

TEST_CASE("a home that never sent anything has stopped, and stays so until something comes") {
    const auto answer = Rule().evaluate(hour());
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "HIGH");
    CHECK(answer.findings[0].title == "Datainnhenting har stoppet");
    CHECK(answer.findings[0].evidence == R"({"max_age_minutes":15,"last_event_ts":null,"lag_minutes":null,)"
                                         R"("categories":["presence","motion","door","heartbeat"],"event_ids":[]})");
    CHECK(answer.findings[0].since == "2026-01-15T11:00:00Z");
    CHECK(answer.findings[0].timestamp == "2026-01-15T12:00:00Z");
    CHECK(answer.reason == "no event of presence, motion, door, heartbeat ever came");
    CHECK(answer.valid_until == "never");
}

TEST_CASE("the age is counted in whole minutes, so 15:59.999999 is alive and 16:00 is not") {
    const auto alive = Rule().evaluate(moved("2026-01-15T11:44:00.000001Z"));
    CHECK(alive.not_met());
    CHECK(alive.valid_until == "2026-01-15T12:00:00.000001Z");
    const auto dead = Rule().evaluate(moved("2026-01-15T11:44:00Z"));
    REQUIRE(dead.met());
    CHECK(dead.findings[0].evidence.find(R"("last_event_ts":"2026-01-15T11:44:00+00:00","lag_minutes":16)") != std::string::npos);
    CHECK(dead.valid_until == "2026-01-15T12:01:00Z");
    CHECK(dead.reason == "the newest event of presence, motion, door, heartbeat is 16 minutes old, 15 are allowed");
}

TEST_CASE("the newest event is found at any age, and only in the categories and the stream that count") {
    const auto answer = Rule().evaluate(moved("2025-12-24T18:00:00Z"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].evidence.find("2025-12-24T18:00:00+00:00") != std::string::npos);
    CHECK(Rule().evaluate(hour().event("t", "2026-01-15T11:59:00Z", "temperature")).met());
    CHECK(Rule(R"({"liveness_categories": ["temperature"]})")
              .evaluate(hour().event("t", "2026-01-15T11:59:00Z", "temperature"))
              .not_met());
    auto window = hour().add({.id = "s", .time = "2026-01-15T11:59:00Z", .category = "motion", .stream = "sim"});
    CHECK(Rule(R"({"stream_id": "prod"})").evaluate(window).met());
    CHECK(Rule(R"({"stream_id": " sim "})").evaluate(window).not_met());
}

TEST_CASE("the parameters can be a whole rule configuration") {
    CHECK(
        Rule(R"({"max_age_minutes": 1, "params": {"max_age_minutes": "45"}})").evaluate(moved("2026-01-15T11:15:00Z")).not_met());
    CHECK(Rule(R"({"max_age_minutes": 45, "params": {}})").evaluate(moved("2026-01-15T11:15:00Z")).met());
}

TEST_CASE("bug 8: by default an event from next year keeps ingest alive, as in the reference") {
    auto window = moved("2026-01-15T09:00:00Z").event("ahead", "2027-01-15T00:00:00Z", "motion");
    const auto answer = Rule().evaluate(window);
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2027-01-15T00:16:00Z");
}

TEST_CASE("bug 8: with ignore_future_events an event from next year does not count") {
    auto window = moved("2026-01-15T09:00:00Z").event("ahead", "2027-01-15T00:00:00Z", "motion");
    const auto answer = Rule(R"({"ignore_future_events": true})").evaluate(window);
    REQUIRE(answer.met());
    CHECK(answer.findings[0].evidence.find(R"("last_event_ts":"2026-01-15T09:00:00+00:00","lag_minutes":180)") !=
          std::string::npos);
}

TEST_CASE("a clock that is a little ahead is forgiven") {
    CHECK(Rule(R"({"ignore_future_events": true})").evaluate(moved("2026-01-15T12:04:59.999999Z")).not_met());
    CHECK(Rule(R"({"ignore_future_events": true})").evaluate(moved("2026-01-15T12:05:00Z")).met());
}

TEST_CASE("a window of the past is judged at its end when the future is ignored, at now otherwise") {
    const auto past = Window("2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z", "2026-01-20T12:00:00Z")
                          .event("m", "2026-01-15T11:55:00Z", "motion");
    CHECK(Rule().evaluate(past).met());
    CHECK(Rule(R"({"ignore_future_events": true})").evaluate(past).not_met());
}

TEST_CASE("a night without heartbeats is no stop when told how long a home may be quiet") {
    const auto night = moved("2026-01-15T02:00:00Z");
    CHECK(Rule().evaluate(night).met());
    const auto answer = Rule(kSound).evaluate(night);
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "2026-01-15T14:01:00Z");
    CHECK(answer.reason == "the newest event of presence, motion, door, heartbeat is 600 minutes old, 720 are allowed");
    const auto dead = Rule(kSound).evaluate(moved("2026-01-14T23:59:00Z"));
    REQUIRE(dead.met());
    CHECK(dead.findings[0].evidence.starts_with(R"({"max_age_minutes":720,)"));
}

TEST_CASE("a home that sends heartbeats is held to the minutes also at night") {
    const auto answer = Rule(kSound).evaluate(moved("2026-01-15T02:00:00Z").event("beat", "2026-01-15T11:40:00Z", "heartbeat"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].evidence.starts_with(R"({"max_age_minutes":15,"last_event_ts":"2026-01-15T11:40:00+00:00")"));
}

TEST_CASE("bug 12: parameters that cannot be used are refused when the rule is made") {
    const Rule far(R"({"max_age_minutes": 1000000000000})");
    CHECK(far.status == VARDE_E_PARAM);
    CHECK(far.refused_param == "max_age_minutes");
    const Rule quiet(R"({"max_age_minutes": 75, "max_quiet_minutes": 60})");
    CHECK(quiet.refused_param == "max_quiet_minutes");
    CHECK(quiet.refusal == "60 is shorter than max_age_minutes, 75");
    CHECK(Rule(R"({"ignore_future_events": "yes"})").refused_param == "ignore_future_events");
}

TEST_CASE("an answer holds as long as it says, with and without the sound parameters") {
    const auto events = hour()
                            .event("beat", "2026-01-07T14:00:00Z", "heartbeat")
                            .event("m1", "2026-01-14T07:00:20Z", "motion")
                            .event("m2", "2026-01-14T08:30:00Z", "door")
                            .event("m3", "2026-01-14T22:00:00Z", "motion")
                            .events();
    for (const char* params : {"{}", kSound, R"({"max_quiet_minutes": 60})", R"({"ignore_future_events": true})"}) {
        Rule rule(params);
        CHECK(varde::test::broken_promise(rule, events, "2026-01-14T06:00:00Z", "2026-01-15T12:00:00Z", 3'600'000'000) == "");
    }
}
