// varde/home: rooms, states, stays and liveness, in the reference's reading and in ours.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <functional>

#include <varde/home/liveness.hpp>
#include <varde/home/room.hpp>
#include <varde/home/segments.hpp>
#include <varde/testing/ticks.hpp>

namespace {

using namespace varde;
using home::State;

/// A rule whose two functions are given by the test case.
struct Scripted {
    static inline std::function<void(Setup&)> on_create;
    static inline std::function<void(const Window&, Findings&)> on_evaluate;
    explicit Scripted(Setup& setup) { on_create(setup); }
    void evaluate(const Window& window, Findings& out) const { on_evaluate(window, out); }
};
constexpr varde_rule_entry kScripted = detail::make_entry<Scripted>("T-001", "1.0.0", VARDE_SDK);

/// Judges `window` with the functions the test case gave.
void run(const test::Window& window, std::string_view params = "{}") {
    test::Rule rule(params, kScripted);
    REQUIRE_MESSAGE(rule.created(), rule.refusal);
    CHECK(rule.evaluate(window).violations.empty());
}

test::Window noon() { return {"2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z"}; }
test::Window noon_with(std::string payload, std::string derived_room = "") {
    return noon().add({.id = "e",
                       .time = "2026-01-15T10:00:00Z",
                       .category = "presence",
                       .payload = std::move(payload),
                       .room = std::move(derived_room)});
}

std::string room_of(std::string payload, bool use_derived, std::string derived = "") {
    Read all;
    home::Rooms rooms;
    Word bath;
    std::string out;
    Scripted::on_create = [&](Setup& setup) {
        all = setup.window();
        rooms = home::Rooms(setup, use_derived);
        bath = setup.word("baderom");
    };
    Scripted::on_evaluate = [&](const Window& window, Findings&) {
        const Row row = *window.rows(all).front();
        out = rooms.of(row);
        CHECK(rooms.is(row, bath) == (out == "baderom"));
        CHECK(rooms.has(row) == !out.empty());
    };
    run(noon_with(std::move(payload), std::move(derived)));
    return out;
}

/// The state under each of the reference's readings, then the typed one.
struct Readings {
    State present, not_null, truthy, typed;
    friend bool operator==(const Readings&, const Readings&) = default;
};

Readings states_of(std::string payload) {
    Read all;
    std::vector<home::States> readers;
    std::vector<State> out;
    Scripted::on_create = [&](Setup& setup) {
        all = setup.window();
        const std::vector<std::string> keys = {"state", "value"};
        for (const auto deciding : {home::Deciding::present, home::Deciding::not_null, home::Deciding::truthy})
            readers.emplace_back(setup, keys, deciding, false);
        readers.emplace_back(setup, keys, home::Deciding::truthy, true);
    };
    Scripted::on_evaluate = [&](const Window& window, Findings&) {
        out.clear();
        for (const auto& reader : readers) out.push_back(reader.of(*window.rows(all).front()));
    };
    run(noon_with(std::move(payload)));
    return {out[0], out[1], out[2], out[3]};
}

home::Liveness::Answer liveness(const test::Window& window, std::string_view params) {
    home::Liveness judged;
    home::Liveness::Answer out;
    Scripted::on_create = [&](Setup& setup) { judged = {setup, home::LivenessTerms::of(setup.params())}; };
    Scripted::on_evaluate = [&](const Window& seen, Findings&) { out = judged.judge(seen); };
    run(window, params);
    return out;
}

Instant at(std::string_view text) { return instant(test::time_from(text)); }

}  // namespace

TEST_CASE("a room is the first truthy one of room_id and room, as a text") {
    CHECK(room_of(R"({"room_id": "baderom", "room": "stue"})", false) == "baderom");
    CHECK(room_of(R"({"room": "baderom"})", false) == "baderom");
    for (const char* falsy : {"0", "0.0", "false", "\"\"", "null", "[]"})
        CHECK(room_of(std::string(R"({"room": "baderom", "room_id": )") + falsy + "}", false) == "baderom");
    CHECK(room_of(R"({"room_id": 7.0})", false) == "7.0");
    CHECK(room_of(R"({"room_id": ["baderom"]})", false) == "['baderom']");
    CHECK(room_of(R"({"room_id": "baderom "})", false) == "baderom ");
    CHECK(room_of(R"({"room_id": "Baderom"})", false) == "Baderom");
    CHECK(room_of(R"({"area": "baderom"})", false).empty());
    CHECK(room_of(R"("baderom")", false).empty());
}

TEST_CASE("the derived room is not looked at unless asked for, and comes first then") {
    CHECK(room_of(R"({"entity_id": "binary_sensor.7"})", false, "baderom").empty());
    CHECK(room_of(R"({"entity_id": "binary_sensor.7"})", true, "baderom") == "baderom");
    CHECK(room_of(R"({"room_id": "Bad oppe"})", true, "baderom") == "baderom");
    CHECK(room_of(R"({"room_id": "baderom"})", true, "") == "baderom");
}

TEST_CASE("on and off are read without case in every reading") {
    using enum State;
    CHECK(states_of(R"({"state": "ON"})") == Readings{on, on, on, on});
    CHECK(states_of(R"({"value": "Off"})") == Readings{off, off, off, off});
    CHECK(states_of(R"({"state": "unavailable"})") == Readings{unknown, unknown, unknown, unknown});
    CHECK(states_of(R"({"battery": 80})") == Readings{none, none, none, none});
    CHECK(states_of("7") == Readings{none, none, none, none});
}

TEST_CASE("the reference's readings differ in what a null or a falsy first key means") {
    using enum State;
    CHECK(states_of(R"({"state": null, "value": "on"})") == Readings{unknown, on, on, on});
    CHECK(states_of(R"({"state": "", "value": "on"})") == Readings{unknown, unknown, on, unknown});
    CHECK(states_of(R"({"state": null})") == Readings{unknown, none, none, none});
}

TEST_CASE("bug 9: a falsy state without a value is no state for the reference's `or`, and a state when typed") {
    using enum State;
    CHECK(states_of(R"({"state": 0})") == Readings{unknown, unknown, none, off});
    CHECK(states_of(R"({"state": false})") == Readings{unknown, unknown, none, off});
    CHECK(states_of(R"({"state": ""})") == Readings{unknown, unknown, none, unknown});
    CHECK(states_of(R"({"state": 1.0})") == Readings{unknown, unknown, unknown, on});
    CHECK(states_of(R"({"state": true})") == Readings{unknown, unknown, unknown, on});
}

TEST_CASE("typed states know the usual words, trimmed, and nothing else") {
    for (const char* word : {"\" on\"", "\"Open\"", "\"DETECTED\"", "\"occupied\"", "\"1\"", "\"true\"", "\"home\"", "1"})
        CHECK(states_of(std::string("{\"state\": ") + word + "}").typed == State::on);
    for (const char* word : {"\"closed \"", "\"Clear\"", "\"0\"", "\"False\"", "\"not_home\"", "0.0"})
        CHECK(states_of(std::string("{\"state\": ") + word + "}").typed == State::off);
    for (const char* word : {"\"\"", "\"unknown\"", "\"onn\"", "2", "21.5", "[\"on\"]", "{}", "12345678901234567890"})
        CHECK(states_of(std::string("{\"state\": ") + word + "}").typed == State::unknown);
}

TEST_CASE("a segment runs from the first on to the next off and keeps the rows between") {
    Read all;
    home::States states;
    std::vector<std::string> out;
    Scripted::on_create = [&](Setup& setup) {
        all = setup.window();
        states = home::States(setup, {"state"}, home::Deciding::present, false);
        setup.want_event_id();
    };
    Scripted::on_evaluate = [&](const Window& window, Findings&) {
        out.clear();
        for (const auto& segment : home::segments_of(window.rows(all), [&](Row row) { return states.of(row); })) {
            std::string ids;
            for (const Row row : segment.rows) ids += std::string(row.event_id());
            out.push_back(ids + (segment.end ? " closed " : " open ") + std::to_string(segment.minutes_at(window.until())));
        }
    };
    auto window = noon();
    const auto event = [&](const char* id, const char* time, const char* state) {
        window.event(id, std::string("2026-01-15T") + time + "Z", "presence", std::string(R"({"state": ")") + state + "\"}");
    };
    event("a", "08:00:00", "off");
    event("b", "08:10:00", "on");
    event("c", "08:20:00", "unavailable");
    event("d", "08:30:00", "on");
    event("e", "08:39:59.999999", "off");
    event("f", "08:50:00", "off");
    event("g", "11:00:00", "on");
    run(window);
    CHECK(out == std::vector<std::string>{"bde closed 29", "g open 60"});
}

TEST_CASE("a home is alive until its newest event is a whole minute too old") {
    const auto seen = [](const char* time) { return liveness(noon().event("e", time, "motion"), "{}"); };
    CHECK(seen("2026-01-15T11:44:00.000001Z").alive);
    CHECK_FALSE(seen("2026-01-15T11:44:00Z").alive);
    CHECK(seen("2026-01-15T11:50:00Z").changes == at("2026-01-15T12:06:00Z"));
    CHECK(seen("2026-01-15T11:44:00Z").changes == std::nullopt);
    CHECK(seen("2026-01-15T11:44:00Z").lag_changes == at("2026-01-15T12:01:00Z"));
    CHECK(seen("2026-01-15T11:44:00Z").reason ==
          "the newest event of presence, motion, door, heartbeat is 16 minutes old, 15 are allowed");
    CHECK(liveness(noon(), "{}").reason == "no event of presence, motion, door, heartbeat ever came");
    CHECK_FALSE(liveness(noon().event("e", "2026-01-15T11:59:00Z", "light"), "{}").alive);
}

TEST_CASE("only events of the named stream count, and a falsy name is none") {
    auto window = noon().add({.id = "e", .time = "2026-01-15T11:59:00Z", .category = "motion", .stream = "test"});
    CHECK(liveness(window, "{}").alive);
    CHECK(liveness(window, R"({"stream_id": " test "})").alive);
    CHECK_FALSE(liveness(window, R"({"stream_id": "prod"})").alive);
    for (const char* none : {"null", "0", "false", "\"\"", "\"  \"", "[]", "0.0"})
        CHECK(liveness(window, std::string(R"({"stream_id": )") + none + "}").alive);
}

TEST_CASE("bug 8: an event from the future keeps a home alive for the reference, and does not count when told so") {
    const auto window = noon().event("old", "2026-01-15T10:00:00Z", "motion").event("future", "2027-01-01T00:00:00Z", "motion");
    CHECK(liveness(window, "{}").alive);
    const auto answer = liveness(window, R"({"ignore_future_events": true})");
    CHECK_FALSE(answer.alive);
    CHECK(answer.last == at("2026-01-15T10:00:00Z"));
    CHECK(answer.lag_minutes == 120);
    const auto near = noon().event("near", "2026-01-15T12:04:59Z", "motion");
    CHECK(liveness(near, R"({"ignore_future_events": true})").alive);
    CHECK_FALSE(liveness(near, R"({"ignore_future_events": true, "future_tolerance_minutes": 4})").alive);
}

TEST_CASE("a window of the past is judged at its end when the future is ignored") {
    const auto past = test::Window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z", "2026-02-01T00:00:00Z")
                          .event("e", "2026-01-15T11:59:00Z", "motion");
    CHECK_FALSE(liveness(past, "{}").alive);
    CHECK(liveness(past, R"({"ignore_future_events": true})").alive);
}

TEST_CASE("what changes is said for the end of the window, also where now is ahead of it") {
    const auto late = test::Window("2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z", "2026-01-15T12:05:00Z")
                          .event("e", "2026-01-15T11:59:00Z", "motion");
    CHECK(liveness(late, "{}").changes == at("2026-01-15T12:10:00Z"));
    CHECK(liveness(late, "{}").lag_minutes == 6);
    CHECK(liveness(late, R"({"ignore_future_events": true})").changes == at("2026-01-15T12:15:00Z"));
}

TEST_CASE("a home without heartbeats may be quiet for longer, if it is told how long") {
    constexpr const char* kQuiet = R"({"max_quiet_minutes": 720})";
    const auto asleep = noon().event("e", "2026-01-15T04:00:00Z", "motion");
    CHECK_FALSE(liveness(asleep, "{}").alive);
    CHECK(liveness(asleep, kQuiet).alive);
    CHECK(liveness(asleep, kQuiet).changes == at("2026-01-15T16:01:00Z"));
    const auto with_beats = test::Window(asleep).event("beat", "2026-01-15T03:00:00Z", "heartbeat");
    CHECK_FALSE(liveness(with_beats, kQuiet).alive);
    CHECK(liveness(with_beats, kQuiet).allowed_minutes == 15);
}

TEST_CASE("a home whose last heartbeat is a week old counts as one without") {
    const auto window =
        noon().event("beat", "2026-01-08T12:00:00.000001Z", "heartbeat").event("e", "2026-01-15T04:00:00Z", "motion");
    const auto answer = liveness(window, R"({"max_quiet_minutes": 720})");
    CHECK_FALSE(answer.alive);
    CHECK(answer.changes == at("2026-01-15T12:00:00.000001Z"));
    const auto later = noon().event("beat", "2026-01-08T12:00:00Z", "heartbeat").event("e", "2026-01-15T04:00:00Z", "motion");
    CHECK(liveness(later, R"({"max_quiet_minutes": 720})").alive);
}

TEST_CASE("liveness parameters that make no sense are refused and named") {
    Scripted::on_create = [](Setup& setup) { home::Liveness(setup, home::LivenessTerms::of(setup.params())); };
    const auto refused = [](std::string_view params) { return test::Rule(params, kScripted).refused_param; };
    CHECK(refused(R"({"max_age_minutes": 1000000000000})") == "max_age_minutes");
    CHECK(refused(R"({"ignore_future_events": 1})") == "ignore_future_events");
    CHECK(refused(R"({"future_tolerance_minutes": -1})") == "future_tolerance_minutes");
    CHECK(refused(R"({"max_quiet_minutes": 10})") == "max_quiet_minutes");
    CHECK(test::Rule(R"({"max_quiet_minutes": 10})", kScripted).refusal == "10 is shorter than max_age_minutes, 15");
    CHECK(refused(R"({"max_quiet_minutes": 15})").empty());
}

TEST_CASE("the reference's gate has two parameters of its own and knows no stream") {
    home::Liveness judged;
    home::Liveness::Answer answer;
    Scripted::on_create = [&](Setup& setup) { judged = {setup, home::LivenessTerms::of_reference_gate(setup.params())}; };
    Scripted::on_evaluate = [&](const Window& seen, Findings&) { answer = judged.judge(seen); };
    const auto window = noon().event("e", "2026-01-15T11:30:00Z", "motion");
    run(window, R"({"max_age_minutes": 60, "stream_id": "x"})");
    CHECK_FALSE(answer.alive);
    run(window, R"({"liveness_max_age_minutes": 30})");
    CHECK(answer.alive);
}

TEST_CASE("a rule that says too long a valid_until is found out, one that is asked in time is not") {
    int64_t hours_it_says = 1;
    Scripted::on_create = [](Setup&) {};
    Scripted::on_evaluate = [&](const Window& window, Findings& out) {
        const Instant noon_of_the_day = at("2026-01-15T12:00:00Z");
        if (window.until() >= noon_of_the_day) {
            out.finding({Severity::low, "it is noon"});
            out.valid_until_new_event();
        } else if (hours_it_says > 0) {
            out.valid_until(window.until() + hours(hours_it_says));
        }
    };
    const auto broken = [&](std::string_view first) {
        test::Rule rule("{}", kScripted);
        return test::broken_promise(rule, noon_with("{}").events(), first, "2026-01-15T12:30:00Z", 3'600'000'000);
    };
    CHECK(broken("2026-01-15T11:00:00Z").empty());
    const std::string found = broken("2026-01-15T10:30:00Z");
    CHECK(found.starts_with("'2' of 2026-01-15T11:30:00Z was to hold until 2026-01-15T12:30:00Z"));
    CHECK(found.ends_with(", but at 2026-01-15T12:00:00Z it is '1 LOW it is noon'"));
    hours_it_says = 0;
    CHECK(broken("2026-01-15T10:30:00Z").empty());
}
