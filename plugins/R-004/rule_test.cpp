#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <varde/testing/ticks.hpp>

namespace {

using varde::test::Rule;
using varde::test::Window;

constexpr const char* kWait = R"({"judge_only_complete_silence": true})";
constexpr const char* kTyped = R"({"typed_states": true})";
constexpr const char* kSound = R"({"memory_minutes": 480, "judge_only_complete_silence": true, "typed_states": true,
                                   "use_derived_room": true, "strict_hours": true})";

std::string says(std::string_view room, std::string_view state) {
    return R"({"room_id": ")" + std::string(room) + R"(", "state": )" + std::string(state) + "}";
}
Window& add(Window& window, std::string id, std::string_view time, std::string_view state, std::string_view room = "baderom") {
    return window.event(std::move(id), "2026-01-15T" + std::string(time) + "Z", "presence", says(room, state));
}
/// 06:00 to 14:00 UTC, which is 07:00 to 15:00 in Oslo: no night in it.
Window day() { return {"2026-01-15T06:00:00Z", "2026-01-15T14:00:00Z"}; }
/// One stay, then somebody in the living room a minute after it.
Window stay(std::string_view from, std::string_view to, bool seen_after = true) {
    Window window = day();
    add(window, "in", from, R"("on")");
    add(window, "out", to, R"("off")");
    if (seen_after)
        window.event("after", "2026-01-15T" + std::string(to.substr(0, 5)) + ":59Z", "motion", says("stue", R"("on")"));
    return window;
}
/// A stay that goes on.
Window open_since(std::string_view from) {
    Window window = day();
    return add(window, "in", from, R"("on")");
}
std::string severity(const varde::test::Answer& answer) {
    CHECK(answer.violations.empty());
    return answer.findings.empty() ? "none" : answer.findings[0].severity;
}
bool names(const varde::test::Answer& answer, std::string_view part) {
    return !answer.findings.empty() && answer.findings[0].evidence.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a stay of 45 minutes by day is told with its events and its numbers") {
    const auto answer = Rule().evaluate(stay("08:15:00", "09:00:00"));
    REQUIRE(answer.met());
    CHECK(answer.findings[0].severity == "MEDIUM");
    CHECK(answer.findings[0].title == "Uvanlig lang tid på badet");
    CHECK(answer.findings[0].since == "2026-01-15T06:00:00Z");
    CHECK(answer.findings[0].timestamp == "2026-01-15T14:00:00Z");
    CHECK(answer.findings[0].evidence ==
          R"({"room_id":"baderom","day_threshold_min":45,"night_threshold_min":25,"sensor_stuck_min":240,"silence_after_min":30,)"
          R"("start_ts":"2026-01-15T08:15:00+00:00","end_ts":"2026-01-15T09:00:00+00:00","observed_minutes":45,)"
          R"("event_ids":["in","out"],"sensor_fault":false,"night_start_hour":22,"night_end_hour":7,"tz":"Europe/Oslo"})");
    CHECK(answer.reason == "a stay of 45 minutes in baderom, 45 are long by day");
    CHECK(severity(Rule().evaluate(stay("08:15:00.000001", "09:00:00"))) == "none");
}

TEST_CASE("a stay that goes on is told at the minute, and every minute from then on") {
    const auto short_yet = Rule().evaluate(open_since("13:15:00.000001"));
    CHECK(short_yet.not_met());
    CHECK(short_yet.valid_until == "2026-01-15T14:00:00.000001Z");
    CHECK(short_yet.reason == "somebody has been in baderom for 44 minutes, 45 are long by day");
    const auto long_now = Rule().evaluate(open_since("13:15:00"));
    CHECK(severity(long_now) == "MEDIUM");
    CHECK(names(long_now, R"("end_ts":null,"observed_minutes":45)"));
    CHECK(long_now.valid_until == "2026-01-15T14:01:00Z");
    CHECK(severity(Rule().evaluate(open_since("12:30:01"))) == "MEDIUM");
    CHECK(severity(Rule().evaluate(open_since("12:30:00"))) == "HIGH");
    CHECK(severity(Rule().evaluate(open_since("10:00:01"))) == "HIGH");
    const auto fault = Rule().evaluate(open_since("10:00:00"));
    CHECK(severity(fault) == "LOW");
    CHECK(names(fault, R"("sensor_fault":true)"));
    CHECK(fault.reason == "somebody has been in baderom for 240 minutes, from 240 the sensor is at fault");
}

TEST_CASE("the night is that of the start, by the local clock") {
    const auto night = [](const char* in, const char* out) {
        Window window("2026-01-14T20:00:00Z", "2026-01-15T08:00:00Z");
        window.event("in", in, "presence", says("baderom", R"("on")")).event("out", out, "presence", says("baderom", R"("off")"));
        return window.event("after", "2026-01-15T06:40:00Z", "motion", says("stue", R"("on")"));
    };
    CHECK(severity(Rule().evaluate(night("2026-01-14T21:00:00Z", "2026-01-14T21:25:00Z"))) == "HIGH");
    CHECK(severity(Rule().evaluate(night("2026-01-14T20:59:59Z", "2026-01-14T21:25:00Z"))) == "none");
    CHECK(severity(Rule().evaluate(night("2026-01-15T05:59:59Z", "2026-01-15T06:25:00Z"))) == "HIGH");
    CHECK(severity(Rule().evaluate(night("2026-01-15T06:00:00Z", "2026-01-15T06:25:00Z"))) == "none");
    CHECK(severity(Rule(R"({"tz": "No/Where"})").evaluate(night("2026-01-14T21:30:00Z", "2026-01-14T21:59:00Z"))) == "none");
    const auto answer = Rule().evaluate(night("2026-01-14T21:00:00Z", "2026-01-14T21:25:00Z"));
    CHECK(answer.reason == "a stay of 25 minutes in baderom, 25 are long at night");
}

TEST_CASE("a stay after which nobody is seen elsewhere is HIGH") {
    const auto after = [](std::string id, std::string time, std::string category, std::string payload) {
        return severity(Rule().evaluate(
            stay("08:15:00", "09:00:00", false).event(std::move(id), std::move(time), std::move(category), std::move(payload))));
    };
    CHECK(severity(Rule().evaluate(stay("08:15:00", "09:00:00", false))) == "HIGH");
    CHECK(after("a", "2026-01-15T09:29:59.999999Z", "motion", says("stue", R"("on")")) == "MEDIUM");
    CHECK(after("a", "2026-01-15T09:30:00Z", "motion", says("stue", R"("on")")) == "HIGH");
    CHECK(after("a", "2026-01-15T09:10:00Z", "motion", says("baderom", R"("on")")) == "HIGH");
    CHECK(after("a", "2026-01-15T09:10:00Z", "motion", "{}") == "MEDIUM");
    CHECK(after("a", "2026-01-15T09:10:00Z", "door", says("stue", R"("open")")) == "HIGH");
    CHECK(Rule().evaluate(stay("08:15:00", "09:00:00", false)).reason ==
          "a stay of 45 minutes in baderom, 45 are long by day; nobody was seen elsewhere in the 30 minutes after");
}

TEST_CASE("the most severe stay is told, of equals the longest, of those the first") {
    auto window = stay("06:30:00", "07:16:00");
    add(window, "in2", "08:00:00", R"("on")");
    add(window, "again", "08:20:00", R"("on")");
    add(window, "gone", "08:30:00", R"("unavailable")");
    add(window, "out2", "08:47:00", R"("off")");
    window.event("after2", "2026-01-15T08:50:00Z", "motion", says("stue", R"("on")"));
    CHECK(names(Rule().evaluate(window), R"("observed_minutes":47,"event_ids":["in2","again","out2"])"));
    add(window, "in3", "10:00:00", R"("on")");
    add(window, "out3", "10:45:00", R"("off")");
    CHECK(names(Rule().evaluate(window), R"("observed_minutes":45,"event_ids":["in3","out3"])"));
}

TEST_CASE("an off without an on, other rooms and unreadable states are no stays") {
    auto window = day();
    add(window, "off", "08:00:00", R"("off")");
    add(window, "stue", "08:00:00", R"("on")", "stue");
    add(window, "null", "08:00:00", "null");
    CHECK(Rule().evaluate(window).reason == "no stay in baderom");
    CHECK(Rule().evaluate(window).valid_until == "never");
}

TEST_CASE("bug 2: with an hour of lookback the reference loses a stay after an hour") {
    Window sixty("2026-01-15T12:15:00Z", "2026-01-15T13:15:00Z");
    CHECK(severity(Rule().evaluate(add(sixty, "in", "12:30:00", R"("on")"))) == "MEDIUM");
    Window later("2026-01-15T13:00:00Z", "2026-01-15T14:00:00Z");
    CHECK(severity(Rule().evaluate(add(later, "in", "12:30:00", R"("on")"))) == "none");
}

TEST_CASE("bug 2: with memory_minutes a stay is seen until it is a fault, whatever the lookback") {
    const auto after = [](std::string_view until) {
        Window window("2026-01-15T" + std::string(until) + ":00:00Z", "2026-01-15T" + std::string(until) + ":01:00Z");
        return Rule(kSound).evaluate(add(window, "in", "08:00:00", R"("on")"));
    };
    CHECK(severity(after("08")) == "none");
    CHECK(severity(after("09")) == "MEDIUM");
    CHECK(severity(after("10")) == "HIGH");
    CHECK(severity(after("12")) == "LOW");
    CHECK(names(after("12"), R"("observed_minutes":241)"));
    CHECK(after("12").findings.at(0).since == "2026-01-15T04:01:00Z");
}

TEST_CASE("with a memory a stay is told for as long after its end as the window is long") {
    const auto told = [](const char* since) {
        Window window("2026-01-15T" + std::string(since) + "Z", "2026-01-15T11:00:00Z");
        add(window, "in", "08:00:00", R"("on")");
        return severity(Rule(kSound).evaluate(add(window, "out", "09:30:00", R"("off")")));
    };
    CHECK(told("09:30:00") == "HIGH");
    CHECK(told("09:30:00.000001") == "none");
}

TEST_CASE("bug 6: the reference calls it silence the moment the stay is over") {
    auto window = stay("13:14:00", "13:59:00", false);
    const auto answer = Rule().evaluate(window);
    CHECK(severity(answer) == "HIGH");
}

TEST_CASE("bug 6: silence is judged when its minutes are over, when told to wait") {
    const auto waiting = Rule(kWait).evaluate(stay("12:45:00.000001", "13:30:00.000001", false));
    CHECK(severity(waiting) == "MEDIUM");
    CHECK(waiting.valid_until == "2026-01-15T14:00:00.000001Z");
    CHECK(severity(Rule(kWait).evaluate(stay("12:45:00", "13:30:00", false))) == "HIGH");
    const auto seen = Rule(kWait).evaluate(stay("13:10:00", "13:58:00"));
    CHECK(severity(seen) == "MEDIUM");
    CHECK(seen.valid_until == "2026-01-15T21:10:00.000001Z");
}

TEST_CASE("bug 9: to the reference true and false are neither on nor off, and an off elsewhere is somebody") {
    auto window = day();
    add(window, "in", "08:00:00", "true");
    add(window, "out", "08:50:00", "false");
    CHECK(severity(Rule().evaluate(window)) == "none");
    auto off_elsewhere = stay("08:15:00", "09:00:00", false);
    CHECK(severity(Rule().evaluate(add(off_elsewhere, "off", "09:10:00", R"("off")", "stue"))) == "MEDIUM");
}

TEST_CASE("bug 9: typed, true is on, false is off, and an off elsewhere is nobody") {
    auto window = day();
    add(window, "in", "08:00:00", "true");
    add(window, "out", "08:50:00", "false");
    CHECK(names(Rule(kTyped).evaluate(window), R"("observed_minutes":50,"event_ids":["in","out"])"));
    auto off_elsewhere = stay("08:15:00", "09:00:00", false);
    CHECK(severity(Rule(kTyped).evaluate(add(off_elsewhere, "off", "09:10:00", R"("off")", "stue"))) == "HIGH");
    auto zero_elsewhere = stay("08:15:00", "09:00:00", false);
    CHECK(severity(Rule(kTyped).evaluate(add(zero_elsewhere, "zero", "09:10:00", "0", "stue"))) == "HIGH");
}

TEST_CASE("bug 10: a sensor that was mapped to the bathroom is invisible to the reference, and seen by its derived room") {
    auto window = day().add({.id = "in",
                             .time = "2026-01-15T12:00:00Z",
                             .category = "presence",
                             .payload = R"({"entity_id": "binary_sensor.7", "state": "on"})",
                             .room = "baderom"});
    CHECK(severity(Rule().evaluate(window)) == "none");
    CHECK(severity(Rule(R"({"use_derived_room": true})").evaluate(window)) == "HIGH");
}

TEST_CASE("bug 11: the evidence is an object with the event ids of the stay") {
    CHECK(names(Rule().evaluate(stay("08:15:00", "09:00:00")), R"("event_ids":["in","out"])"));
}

TEST_CASE("a sensor that repeats itself all day is no error; four thousand events are named") {
    auto window = day();
    for (int64_t i = 0; i < 5000; ++i) {
        const std::string time = varde::test::time_text(varde::test::time_from("2026-01-15T06:00:00Z") + i * 5'000'000, "");
        add(window, "e" + std::to_string(i), time.substr(11), R"("on")");
    }
    const auto answer = Rule().evaluate(window);
    CHECK(severity(answer) == "LOW");
    CHECK(names(answer, R"("e3998","e4999"])"));
}

TEST_CASE("bug 12: parameters that cannot be used are refused when the rule is made") {
    const Rule keys(R"({"payload_state_keys": [["state"]]})");
    CHECK(keys.status == VARDE_E_PARAM);
    CHECK(keys.refused_param == "payload_state_keys[0]");
    CHECK(keys.refusal == "['state'] is not the name of a payload key");
    CHECK(Rule(R"({"sensor_stuck_min": 1000000000000})").refused_param == "sensor_stuck_min");
    CHECK(Rule(R"({"night_start_hour": 25})").created());
    CHECK(Rule(R"({"night_start_hour": 25, "strict_hours": true})").refused_param == "night_start_hour");
    CHECK(Rule(R"({"typed_states": 0})").refused_param == "typed_states");
}

TEST_CASE("bug 12: equal hours of the night mean never") {
    auto window = stay("08:15:00", "08:50:00");
    CHECK(severity(Rule(R"({"night_start_hour": 9, "night_end_hour": 10})").evaluate(window)) == "HIGH");
    CHECK(severity(Rule(R"({"night_start_hour": 9, "night_end_hour": 9})").evaluate(window)) == "none");
}

TEST_CASE("a memory that is too short for the thresholds is refused with both numbers") {
    const Rule hour(R"({"memory_minutes": 60})");
    CHECK(hour.refused_param == "memory_minutes");
    CHECK(hour.refusal == "60 is not longer than the 270 that sensor_stuck_min 240 and silence_after_min 30 need");
    CHECK(
        Rule(R"({"memory_minutes": 130, "sensor_stuck_min": 100, "day_threshold_min": 110, "silence_after_min": 20})").refusal ==
        "130 is not longer than the 130 that day_threshold_min 110 and silence_after_min 20 need");
    CHECK(Rule(R"({"memory_minutes": 271})").created());
}

TEST_CASE("bug 13: 45 minutes are long as in the reference's code, and not more than 45 as in its specification") {
    CHECK(severity(Rule().evaluate(stay("08:15:00", "09:00:00"))) == "MEDIUM");
    CHECK(severity(Rule(R"({"day_threshold_min": 46})").evaluate(stay("08:15:00", "09:00:00"))) == "none");
}

TEST_CASE("an answer holds as long as it says, with and without the sound parameters") {
    Window day_of_stays("2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z");
    for (const auto& [id, time, state] : {std::tuple{"a", "05:40:00", "true"},
                                          {"b", "06:20:30", "\"off\""},
                                          {"c", "08:00:00", "\"on\""},
                                          {"d", "08:30:10", "\"on\""},
                                          {"e", "08:50:00", "\"off\""},
                                          {"f", "10:00:00", "\"on\""},
                                          {"g", "11:31:00", "\"off\""},
                                          {"h", "13:00:00", "\"on\""},
                                          {"i", "18:00:00", "\"off\""}})
        add(day_of_stays, id, time, state);
    day_of_stays.event("m", "2026-01-15T09:05:00Z", "motion", says("stue", R"("on")"));
    for (const char* params : {"{}", kWait, kTyped, kSound})
        for (const int64_t hours : {1, 2, 6}) {
            Rule rule(params);
            CHECK(varde::test::broken_promise(rule, day_of_stays.events(), "2026-01-15T05:30:00Z", "2026-01-15T23:59:00Z",
                                              hours * 3'600'000'000) == "");
        }
}
