#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/test.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kFront = R"({"state": "open", "door": "front"})";
constexpr const char* kWait = R"({"judge_only_complete_followup": true})";

/// 08:00 to 12:00 with the front door opened at `time`.
Window opened(std::string time) {
    return Window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z").event("door", std::move(time), "door", kFront);
}

}  // namespace

TEST_CASE("a front door without activity after it is found, with its minutes in the text") {
    const auto answer = Rule(R"({"followup_minutes": "15"})").evaluate(opened("2026-01-15T10:00:00Z"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].title == "Mulig uvanlig hendelse etter dør");
    CHECK(answer.findings[0].explanation.find("i de neste 15 minuttene") != std::string::npos);
    CHECK(answer.findings[0].evidence == R"({"event_ids":["door"]})");
    CHECK(answer.valid_until == "2026-01-15T14:00:00.000001Z");
}

TEST_CASE("activity counts from the opening until just before the minutes are over") {
    const auto quiet_with = [](std::string time, std::string payload) {
        return Rule()
            .evaluate(opened("2026-01-15T10:00:00Z").event("m", std::move(time), "motion", std::move(payload)))
            .not_met();
    };
    CHECK_FALSE(quiet_with("2026-01-15T09:59:59.999999Z", R"({"state": "on"})"));
    CHECK(quiet_with("2026-01-15T10:00:00Z", R"({"state": "on"})"));
    CHECK(quiet_with("2026-01-15T10:09:59.999999Z", R"({"state": "on"})"));
    CHECK_FALSE(quiet_with("2026-01-15T10:10:00Z", R"({"state": "on"})"));
    CHECK_FALSE(quiet_with("2026-01-15T10:05:00Z", R"({"state": "off"})"));
    CHECK(quiet_with("2026-01-15T10:05:00Z", R"({"state": null})"));
}

TEST_CASE("activity after the end of the window is seen") {
    CHECK(Rule().evaluate(opened("2026-01-15T11:55:00Z").event("m", "2026-01-15T12:03:00Z", "motion")).not_met());
    CHECK(Rule().evaluate(opened("2026-01-15T11:55:00Z").event("m", "2026-01-15T12:05:00Z", "motion")).met());
}

TEST_CASE("the first door without activity is reported") {
    auto window = opened("2026-01-15T11:00:00Z");
    window.event("followed", "2026-01-15T09:00:00Z", "door", kFront).event("m", "2026-01-15T09:01:00Z", "motion");
    window.event("first", "2026-01-15T10:00:00Z", "door", kFront);
    CHECK(Rule().evaluate(window).findings.at(0).evidence == R"({"event_ids":["first"]})");
}

TEST_CASE("other doors, closings and doors outside the window are not looked at") {
    const Window empty("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z");
    const auto quiet = [&](std::string time, std::string payload) {
        return Rule().evaluate(Window(empty).event("d", std::move(time), "door", std::move(payload))).not_met();
    };
    CHECK(quiet("2026-01-15T10:00:00Z", R"({"state": "open", "door": "back"})"));
    CHECK(quiet("2026-01-15T10:00:00Z", R"({"state": "closed", "door": "front"})"));
    CHECK(quiet("2026-01-15T07:59:59Z", kFront));
    CHECK(quiet("2026-01-15T12:00:00Z", kFront));
    CHECK_FALSE(quiet("2026-01-15T08:00:00Z", R"({"state": null, "value": "open", "door": null, "name": "front"})"));
}

TEST_CASE("by default a door is judged before its minutes are over, as the reference does") {
    CHECK(Rule().evaluate(opened("2026-01-15T11:59:00Z")).met());
}

TEST_CASE("a door is not judged before its minutes are over when told to wait") {
    const auto early = Rule(kWait).evaluate(opened("2026-01-15T11:50:00.000001Z"));
    CHECK(early.not_met());
    CHECK(early.valid_until == "2026-01-15T12:00:00.000001Z");
    CHECK(Rule(kWait).evaluate(opened("2026-01-15T11:50:00Z")).met());
}

TEST_CASE("a door that was followed need not be waited for") {
    const auto answer = Rule(kWait).evaluate(opened("2026-01-15T11:55:00Z").event("m", "2026-01-15T11:56:00Z", "motion"));
    CHECK(answer.not_met());
    CHECK(answer.valid_until == "never");
}

TEST_CASE("minutes that are no number, or beyond a year, are refused and named") {
    for (const char* minutes : {"null", "\"ti\"", "\"10.5\"", "[]", "1000000000000000", "12345678901234567890"}) {
        const Rule rule(std::string(R"({"followup_minutes": )") + minutes + "}");
        CHECK(rule.status == VARDE_E_PARAM);
        CHECK(rule.refused_param == "followup_minutes");
    }
    CHECK(Rule(R"({"judge_only_complete_followup": "yes"})").refused_param == "judge_only_complete_followup");
    CHECK(Rule(R"({"followup_minutes": -5})")
              .evaluate(opened("2026-01-15T10:00:00Z").event("m", "2026-01-15T10:00:00Z", "motion"))
              .met());
}
