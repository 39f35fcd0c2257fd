#include "hostile/engine_fixture.hpp"

#include <random>

// What a rule gets to see through the real worker, and that it is the same however the host came by it.
using namespace hostile;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* kWindowOnly = R"({"reads":[[0,0,0,1,0]]})";

ports::RuleSpec mirror(std::string params) {
    auto one = spec("mirror");
    one.params = std::move(params);
    return one;
}

std::string evidence(const core::Verdict& verdict) {
    const auto answer = completed(verdict);
    REQUIRE(answer.findings.size() == 1);
    return answer.findings[0].evidence;
}

}  // namespace

TEST_CASE("a rule sees the rows of its reads, in order, and nothing around them") {
    Bench bench;
    REQUIRE(bench.log
                .append(std::vector{event("before", minutes{90}, "x"), event("after", seconds{-30}, "x"),
                                    event("edge", seconds{0}, "x"), event("since", minutes{60}, "x")})
                .has_value());
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]) ==
          R"({"rows":3,"reads":[["since","e-1","e-2"]],"states":["x","on","off"]})");
}

TEST_CASE("a rule that declares no read sees the window as read 0") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror("{}")};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]) == R"({"rows":2,"reads":[["e-1","e-2"]],"states":["on","off"]})");
}

TEST_CASE("reads reach back and beyond the window, and find the latest event of a category at any age") {
    Bench bench;
    auto ancient = event("ancient", hours{2000}, "x");
    ancient.category = "battery";
    REQUIRE(
        bench.log.append(std::vector{ancient, event("before", minutes{90}, "x"), event("after", seconds{-30}, "x")}).has_value());
    std::vector<ports::RuleSpec> specs{mirror(R"({"reads":[[0,0,-3600000000,1,0],[0,1,0,1,60000000],[2,0,0,0,0,"battery"],
        [3,0,0,1,-45000000,"door"],[2,0,0,0,0,"none"]]})")};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]) ==
          R"({"rows":5,"reads":[["before","e-1","e-2"],["after"],["ancient"],["e-1"],[]],"states":["x","on","off","x","x"]})");
}

TEST_CASE("a window from before what is kept live is read from the event log and judged the same") {
    Bench bench;
    REQUIRE(bench.log.append(std::vector{event("old-1", hours{500}, "on"), event("old-2", hours{499}, "off")}).has_value());
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    ports::Evaluation old = last_hour("mirror");
    old.window = {kNow - hours{501}, kNow - hours{498}};
    const auto verdicts = bench.judge({old, last_hour("mirror")});
    CHECK(evidence(verdicts[0]) == R"({"rows":2,"reads":[["old-1","old-2"]],"states":["on","off"]})");
    CHECK(evidence(verdicts[1]) == R"({"rows":2,"reads":[["e-1","e-2"]],"states":["on","off"]})");
}

TEST_CASE("another subject's events are never seen") {
    Bench bench;
    const core::Scope other{"org", "home", "other"};
    REQUIRE(bench.log.append(std::vector{event("foreign", seconds{20}, "on", other)}).has_value());
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    const auto verdicts =
        bench.judge({last_hour("mirror"), last_hour("mirror", other), last_hour("mirror", {"org", "home", "nobody"})});
    CHECK(evidence(verdicts[0]).find("foreign") == std::string::npos);
    CHECK(evidence(verdicts[1]) == R"({"rows":1,"reads":[["foreign"]],"states":["on"]})");
    CHECK(evidence(verdicts[2]) == R"({"rows":0,"reads":[[]],"states":[]})");
    CHECK(bench.engine.scopes() == std::vector<core::Scope>{{}, other});
    const std::vector given{event("mine", seconds{5}, "a"), event("foreign", seconds{4}, "b", other)};
    CHECK(evidence(bench.engine.evaluate_events(last_hour("mirror"), kWindowOnly, given)).find("foreign") == std::string::npos);
}

TEST_CASE("event ids, payloads and local time are there for a rule that asks") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror(R"({"reads":[[0,0,0,1,0]],"zone":"Europe/Oslo","wants":3})")};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]) ==
          R"({"rows":2,"reads":[["e-1","e-2"]],"states":["on","off"],"local_hour":13,"first_id":"e-1",)"
          R"("first_payload":"{\"state\":\"on\"}"})");
}

TEST_CASE("a zone that a rule requires and that does not exist is refused by the rule, with its parameter's name") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror(R"({"zone":"Europe/Atlantis"})")};
    const auto failures = bench.engine.configure(std::move(specs));
    REQUIRE(failures[0].has_value());
    CHECK(failures[0]->reason == core::FailureReason::create_failed);
    CHECK(failures[0]->message == "zone: no such zone");
}

TEST_CASE("stored and given events give the same answer, late and unsorted ones included") {
    Bench bench;
    std::mt19937 random{3};
    std::vector<core::Event> events;
    for (int i = 0; i < 300; ++i)
        events.push_back(event("r-" + std::to_string(i), seconds{random() % 3600 + 60}, std::to_string(i)));
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    for (std::size_t i = 0; i < events.size(); i += 50) {
        REQUIRE(bench.log.append(std::span{events}.subspan(i, 50)).has_value());
        REQUIRE(bench.engine.catch_up(kNow).has_value());
    }
    const auto stored = evidence(bench.judge({last_hour("mirror")})[0]);
    CHECK(stored == evidence(bench.engine.evaluate_events(last_hour("mirror"), kWindowOnly, bench.log.stored())));
}

TEST_CASE("other parameters run in the same worker, as many as one likes") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    const int pid = bench.engine.worker_pid("mirror");
    const std::vector given{event("g", seconds{5}, "a")};
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 40; ++i) {
            const auto params =
                R"({"reads":[[0,0,0,1,0]],"wants":)" + std::to_string(i % 4) + R"(,"n":)" + std::to_string(i) + "}";
            CHECK(evidence(bench.engine.evaluate_events(last_hour("mirror"), params, given)).find("\"g\"") != std::string::npos);
        }
    }
    CHECK(bench.engine.worker_pid("mirror") == pid);
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]).find("e-1") != std::string::npos);
}

TEST_CASE("configuring again keeps the worker of an unchanged plugin and takes new parameters over") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(specs);
    const int pid = bench.engine.worker_pid("mirror");
    specs[0].params = R"({"reads":[[0,1,-45000000,1,0]]})";
    bench.engine.configure(specs);
    CHECK(bench.engine.worker_pid("mirror") == pid);
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    CHECK(evidence(bench.judge({last_hour("mirror")})[0]).find(R"([["e-2"]])") != std::string::npos);
    specs[0].memory_bytes *= 2;
    bench.engine.configure(specs);
    CHECK(bench.engine.worker_pid("mirror") != pid);
    bench.engine.configure({});
    CHECK(failed(bench.judge({last_hour("mirror")})[0]).reason == core::FailureReason::not_loaded);
}

TEST_CASE("more windows than the buffer holds are judged in several goes; one that is larger than all of it fails alone") {
    fakes::EventLog log;
    fakes::LogSink sink;
    auto settings = Bench::settings();
    settings.window_bytes = 64 * 1024;
    evaluate::EvaluationEngine engine{&log, settings, sink};
    std::vector<core::Event> events;
    std::vector<ports::Evaluation> asked;
    for (int subject = 0; subject < 40; ++subject) {
        const core::Scope scope{"org", "home", std::to_string(subject)};
        const int many = subject == 7 ? 3000 : 100;
        for (int i = 0; i < many; ++i)
            events.push_back(event("s" + std::to_string(subject) + "-" + std::to_string(i), seconds{60 + i % 3000}, "on", scope));
        asked.push_back(last_hour("healthy", scope));
    }
    REQUIRE(log.append(events).has_value());
    std::vector<ports::RuleSpec> specs{spec("healthy")};
    REQUIRE_FALSE(engine.configure(std::move(specs))[0].has_value());
    REQUIRE(engine.catch_up(kNow).has_value());
    const auto verdicts = engine.evaluate(asked);
    REQUIRE(verdicts.has_value());
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (i == 7)
            CHECK(failed((*verdicts)[i]).reason == core::FailureReason::input_too_large);
        else
            CHECK(completed((*verdicts)[i]).findings[0].evidence.find("\"s" + std::to_string(i) + "-0\"") != std::string::npos);
    }
}

TEST_CASE("an event log that fails is the only error of evaluate") {
    Bench bench;
    std::vector<ports::RuleSpec> specs{mirror(kWindowOnly)};
    bench.engine.configure(std::move(specs));
    REQUIRE(bench.engine.catch_up(kNow).has_value());
    bench.log.fail_with(core::Errc::database_unavailable);
    ports::Evaluation old = last_hour("mirror");
    CHECK(bench.engine.evaluate(std::vector{old}).has_value());
    old.window = {kNow - hours{501}, kNow - hours{498}};
    const auto verdicts = bench.engine.evaluate(std::vector{old});
    REQUIRE_FALSE(verdicts.has_value());
    CHECK(verdicts.error().code == core::Errc::database_unavailable);
}

TEST_CASE("a thousand evaluations of one rule are answered in order") {
    Bench bench;
    std::vector<core::Event> events;
    std::vector<ports::Evaluation> asked;
    for (int i = 0; i < 1000; ++i) {
        const core::Scope scope{"org", "home", std::to_string(i)};
        events.push_back(event("s" + std::to_string(i), seconds{60}, "on", scope));
        asked.push_back(last_hour("healthy", scope));
    }
    REQUIRE(bench.log.append(events).has_value());
    bench.use({"healthy"});
    const auto verdicts = bench.judge(asked);
    for (int i = 0; i < 1000; ++i)
        CHECK(completed(verdicts[static_cast<std::size_t>(i)]).findings[0].evidence.find("[\"s" + std::to_string(i) + "\"]") !=
              std::string::npos);
}

namespace {

const core::Scope kQuiet{"org", "home", "quiet"};

/// `healthy` says of a window without anything on that this holds for ever. That is true until the last event has left the window.
struct Quiet : Bench {
    explicit Quiet(const char* fixture = "healthy") {
        REQUIRE(log.append(std::vector{event("q-1", std::chrono::seconds{30}, "off", kQuiet)}).has_value());
        use({fixture});
    }
    core::Completed ask(std::chrono::minutes later = {}) {
        auto asked = last_hour("healthy", kQuiet);
        asked.window = {asked.window.since + later, asked.window.until + later};
        asked.now += later;
        return completed(judge({asked}).at(0));
    }
};

}  // namespace

TEST_CASE("a rule is not asked while its answer holds, until something that it reads arrives") {
    Quiet home;
    CHECK_FALSE(home.ask().carried);
    const auto carried = home.ask(std::chrono::minutes{1});
    CHECK(carried.carried);
    CHECK(carried.outcome == core::Outcome::not_met);
    REQUIRE(home.log.append(std::vector{event("q-2", std::chrono::seconds{10}, "on", kQuiet)}).has_value());
    REQUIRE(home.engine.catch_up(kNow).has_value());
    const auto met = home.ask(std::chrono::minutes{2});
    CHECK_FALSE(met.carried);
    CHECK(met.outcome == core::Outcome::met);
}

TEST_CASE("an engine that is told to asks at every run") {
    Quiet home;
    home.engine.carry_answers(false);
    for (int run = 0; run < 3; ++run) CHECK_FALSE(home.ask(std::chrono::minutes{run}).carried);
}

TEST_CASE("a rule whose worker died has to show itself again") {
    Quiet home{"crashes_elsewhere"};
    const auto ask = [&](const core::Scope& scope) { return home.judge({last_hour("crashes_elsewhere", scope)}).at(0); };
    CHECK_FALSE(completed(ask(kQuiet)).carried);
    CHECK(completed(ask(kQuiet)).carried);
    CHECK(failed(ask({})).reason == core::FailureReason::segmentation_fault);  // a home with something on
    CHECK_FALSE(completed(ask(kQuiet)).carried);
}

TEST_CASE("a rule whose answer ended before it was to end is found out, and believed no more") {
    Quiet home;
    home.ask();
    core::Completed last;
    for (int i = 0; i < 130; ++i) last = home.ask(std::chrono::minutes{120});
    CHECK_FALSE(last.carried);
    CHECK(last.outcome == core::Outcome::no_data);
    CHECK(home.sink.count("rule_valid_until_wrong") == 1);
}
