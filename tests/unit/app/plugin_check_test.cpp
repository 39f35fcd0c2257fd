#include "app/plugin_check/budget.hpp"
#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/report.hpp"
#include "app/plugin_check/same_answer.hpp"
#include "app/plugin_check/trial.hpp"
#include "fakes/log_sink.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <set>

using namespace varde;
using namespace varde::app::plugin_check;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr core::Window kNight{core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15}},
                              core::Instant{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + 6h}};

config::RuleManifest manifest() {
    auto parsed = config::parse_rule_manifest(R"(
id: R-9
params:
  alarm_categories: {type: list_of_text, default: [bell, gate]}
  door_name_keys: {type: list_of_text, default: [door, name]}
  wanted: {type: text, default: front}
  night: {type: object, members: {start: {type: local_time, default: "23:00"}}}
)",
                                              "rule.yaml");
    REQUIRE(parsed.has_value());
    return *parsed;
}
Vocabulary words() { return vocabulary_of(manifest()); }

bool holds(const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<Result> some_results() {
    return {{"file.accepted", "x", pass("fine"), 1ms},
            {"file.build_id", "x", warn("there is none"), 2ms},
            {"windows.empty", "x", fail("aborted: \"<&>\"\x01\n next"), 3ms},
            {"windows.one", "x", skip("see windows.empty"), 0ms}};
}

}  // namespace

TEST_CASE("events are made of the words of the rule's parameters, and of common ones") {
    const auto found = words();
    for (const auto* category : {"bell", "gate", "motion", "door", "presence"}) CHECK(holds(found.categories, category));
    for (const auto* key : {"door", "name", "state", "value"}) CHECK(holds(found.keys, key));
    for (const auto* value : {"front", "23:00", "on", "closed"}) CHECK(holds(found.values, value));
    CHECK(holds(vocabulary_of({}).categories, "motion"));
}

TEST_CASE("the same seed makes the same events, another seed others") {
    const auto made = [](std::uint64_t seed) {
        Dice dice{seed};
        std::string text;
        for (const auto& event : odd_events(words(), kNight, 100, dice)) text += event.category + event.payload;
        return text;
    };
    CHECK(made(7) == made(7));
    CHECK(made(7) != made(8));
}

TEST_CASE("events stand inside the window at distinct instants, in order, with distinct ids") {
    Dice dice{1};
    const auto events = plain_events(words(), kNight, 100'000, dice);
    REQUIRE(events.size() == 100'000);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < events.size(); ++i) {
        ids.insert(events[i].event_id);
        if (i > 0) REQUIRE(events[i - 1].time < events[i].time);
    }
    CHECK(ids.size() == events.size());
    CHECK(events.front().time >= kNight.since);
    CHECK(events.back().time < kNight.until);
    CHECK(plain_events(words(), kNight, 0, dice).empty());
}

TEST_CASE("payloads are JSON, whatever is in them, and hold every odd value sooner or later") {
    Dice dice{1};
    std::set<std::string> kinds;
    for (const auto& event : odd_events(words(), kNight, 2'000, dice)) {
        const auto payload = json::parse(event.payload, nullptr, false);
        CAPTURE(event.payload.substr(0, 200));
        REQUIRE_FALSE(payload.is_discarded());
        kinds.insert(payload.type_name());
        if (payload.is_object())
            for (const auto& [key, value] : payload.items()) kinds.insert(std::string{"in "} + value.type_name());
    }
    for (const auto* kind : {"null", "array", "object", "string", "number", "boolean"}) {
        CHECK(kinds.contains(kind));
        CHECK(kinds.contains(std::string{"in "} + kind));
    }
}

TEST_CASE("the longest events are as long as ingest lets them be, and no longer") {
    Dice dice{1};
    std::set<std::string> ids;
    for (const auto& event : long_events(words(), kNight, 50, dice)) {
        CHECK(event.event_id.size() == 200);
        ids.insert(event.event_id);
        CHECK(event.category.size() <= 100);
        CHECK(event.room_id.size() == 100);
        CHECK(event.payload.size() == 65'536);
        CHECK_FALSE(json::parse(event.payload, nullptr, false).is_discarded());
    }
    CHECK(ids.size() == 50);
}

TEST_CASE("memory that is held after a while is none lost, memory that grows to the end is") {
    constexpr std::int64_t limit = 128 << 20;
    const auto growing = [](std::int64_t bytes_each) {
        std::vector<std::int64_t> samples;
        for (int i = 0; i < 17; ++i) samples.push_back(i * 50 * bytes_each);
        return samples;
    };
    const std::vector<std::int64_t> settled{100'000, 400'000, 400'000, 400'000, 400'000, 400'000, 400'000, 400'000};
    CHECK(judge_memory(settled, 50, limit).status == Status::pass);
    const auto leak = judge_memory(growing(5'000), 50, limit);
    CHECK(leak.status == Status::fail);
    CHECK(leak.text.find("4.9 KiB are lost in each") != std::string::npos);
    CHECK(judge_memory(growing(600), 50, limit).status == Status::warn);
    CHECK(judge_memory({1, 2, 3}, 50, limit).status == Status::skip);
}

TEST_CASE("memory that has grown to the limit and cannot grow on is no sign of health") {
    const std::vector<std::int64_t> full{1 << 20, 100 << 20, 110 << 20, 110 << 20, 110 << 20, 110 << 20};
    const auto answer = judge_memory(full, 50, 128 << 20);
    CHECK(answer.status == Status::fail);
    CHECK(answer.text.find("memory_mb (128 MiB) fills up") != std::string::npos);
}

TEST_CASE("evaluations that become slower are found, a hiccup is not") {
    std::vector<std::chrono::nanoseconds> creeping;
    for (int i = 1; i <= 100; ++i) creeping.emplace_back(i * 1ms);
    CHECK(judge_pace(creeping).status == Status::fail);
    CHECK(judge_pace(creeping).text.find("13.000 ms at first, 88.000 ms") != std::string::npos);
    std::vector<std::chrono::nanoseconds> steady(100, 2ms);
    steady[90] = steady[95] = 500ms;
    CHECK(judge_pace(steady).status == Status::pass);
    // Three times nothing is nothing.
    std::vector<std::chrono::nanoseconds> quick(50, 1us);
    quick.resize(100, 9us);
    CHECK(judge_pace(quick).status == Status::pass);
    CHECK(judge_pace({1ms, 2ms}).status == Status::skip);
}

TEST_CASE("more than half of the time limit is a warning with both numbers") {
    CHECK(judge_time(100ms, 10'000, 200ms).status == Status::pass);
    const auto slow = judge_time(101ms, 10'000, 200ms);
    CHECK(slow.status == Status::warn);
    CHECK(slow.text.find("101.00 ms of 200 ms") != std::string::npos);
    CHECK(slow.text.find("of 10000 events") != std::string::npos);
}

TEST_CASE("a failure in destroy() is remembered, the first one, and every log event is handed on") {
    fakes::LogSink sink;
    EngineLog log{sink};
    log.log(ports::LogLevel::warning, "evaluate", "rule_slow", "slow");
    CHECK(log.destroy_failure().empty());
    log.log(ports::LogLevel::warning, "evaluate", "rule_destroy_failed", "SIGSEGV");
    log.log(ports::LogLevel::warning, "evaluate", "rule_destroy_failed", "SIGBUS");
    CHECK(log.destroy_failure() == "SIGSEGV");
    CHECK(sink.entries().size() == 3);
}

TEST_CASE("where two answers part is shown with what stands before it") {
    CHECK(first_difference("abc", "abd") == "'abc' became 'abd'");
    const auto shown = first_difference(std::string(100, 'x') + "1" + std::string(200, 'y'), std::string(100, 'x') + "2");
    CHECK(shown.starts_with("'..." + std::string(30, 'x') + "1"));
    CHECK(shown.ends_with("...' became '..." + std::string(30, 'x') + "2'"));
}

TEST_CASE("answers that differ in the order of ids only are told from others") {
    CHECK(same_but_for_order(R"({"ids":["b","a"],"n":1})", R"({"ids":["a","b"],"n":1})"));
    CHECK_FALSE(same_but_for_order(R"({"ids":["b","a"],"n":1})", R"({"ids":["a","b"],"n":2})"));
    CHECK_FALSE(same_but_for_order(R"({"times":[2,1]})", R"({"times":[1,2]})"));
}

TEST_CASE("event ids are put back all at once, so that swapped ones do not meet") {
    const std::map<std::string, std::string> original{{"event-000001", "event-000002"}, {"event-000002", "event-000001"}};
    CHECK(with_ids(R"(["event-000001","event-000002","event-000003"])", original) ==
          R"(["event-000002","event-000001","event-000003"])");
    CHECK(with_ids("event-", original) == "event-");
}

TEST_CASE("every check has a name of its own, in a group, and says what it looks at") {
    std::set<std::string_view> names;
    for (const auto& check : all_checks()) {
        CHECK(names.insert(check.name).second);
        CHECK(check.name.find('.') != std::string_view::npos);
        CHECK_FALSE(check.what.empty());
        CHECK(static_cast<bool>(check.run));
    }
    CHECK(names.size() >= 20);
}

TEST_CASE("the report counts, and names the command that repeats the first failure") {
    const auto results = some_results();
    CHECK(text_summary(count(results), 7) == "1 passed, 1 warned, 1 failed, 1 skipped (seed 7)");
    CHECK(repeat_hint("a.so", results, 7) == "again: varde plugin check a.so --seed 7 --only windows.empty");
    CHECK(repeat_hint("a.so", std::span{results}.first(2), 7).empty());
    CHECK(text_line(results[2]).starts_with("FAIL  windows.empty"));
}

TEST_CASE("each line of the JSON report is JSON") {
    for (const auto& result : some_results()) {
        const auto line = json::parse(json_line(result, 7), nullptr, false);
        CHECK(line["check"] == result.name);
        CHECK(line["seed"] == 7);
    }
    CHECK(json::parse(json_line(some_results()[2], 7))["status"] == "fail");
    CHECK(json::parse(json_summary("a \"b\".so", count(some_results()), 7))["file"] == "a \"b\".so");
}

TEST_CASE("the JUnit report keeps its shape, whatever a rule wrote into its texts") {
    const auto text = junit("a.so", some_results(), 7);
    CHECK(text.find(R"(<testsuite name="a.so" tests="4" failures="1" skipped="1" time="0.006">)") != std::string::npos);
    CHECK(text.find(R"(<failure message="aborted: &quot;&lt;&amp;&gt;&quot;?  next"/>)") != std::string::npos);
    CHECK(text.find(R"(<skipped message="see windows.empty"/>)") != std::string::npos);
    CHECK(text.find("<system-out>warning: there is none</system-out>") != std::string::npos);
    CHECK(text.find(R"(<property name="seed" value="7"/>)") != std::string::npos);
}
