#include "config/home_rules.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <chrono>

using namespace varde;
using config::HomeRules;
using core::MonitorMode;

namespace {

constexpr auto kRules = R"(rules:
  R-1:
    enabled_in_scheduler: true
    lookback_minutes: 60
    params: {tz: Europe/Oslo, most: 3, night: {from: 22, to: 7}}
  R-2:
    expire_after_minutes: 90
)";
constexpr auto kManifest = R"(
id: R-1
params:
  tz: {type: zone}
  most: {type: integer, max: 9}
  night: {type: object}
  word: {type: text}
)";

config::RuleManifests manifests(const char* text = kManifest) {
    return {{"R-1", config::parse_rule_manifest(text, "rule.yaml").value()}};
}

config::RulesConfig parsed(const std::string& homes, const char* rules = kRules) {
    auto config = config::parse_rules(rules + homes, "rules.yaml");
    if (!config) FAIL(config.error().context);
    return std::move(*config);
}
HomeRules made(const std::string& homes, const char* rules = kRules, const char* manifest = kManifest) {
    auto rules_of_homes = HomeRules::make(parsed(homes, rules), manifests(manifest));
    if (!rules_of_homes) FAIL(rules_of_homes.error().context);
    return std::move(*rules_of_homes);
}
std::string problem(const std::string& homes) {
    const auto config = config::parse_rules(kRules + homes, "rules.yaml");
    return config ? "" : config.error().context;
}
core::Scope home(const char* id, const char* org = "default", const char* subject = "default") { return {org, id, subject}; }

std::string params(const HomeRules& rules, const core::Scope& scope) {
    return rules.variants("R-1")[rules.find("R-1", scope)->variant].params;
}
constexpr auto kOwn = R"({"most":3,"night":{"from":22,"to":7},"tz":"Europe/Oslo"})";

}  // namespace

TEST_CASE("without homes every home has the rules as they stand") {
    const auto rules = made("");
    REQUIRE(rules.find("R-1", home("a")) != nullptr);
    CHECK(*rules.find("R-1", home("a")) == config::HomeRule{true, config::minutes{60}, config::minutes{60}, 0, {}});
    CHECK(*rules.find("R-2", home("b")) == config::HomeRule{false, config::minutes{60}, config::minutes{90}, 0, {}});
    CHECK(params(rules, home("a")) == kOwn);
    CHECK(rules.variants("R-1").size() == 1);
}

TEST_CASE("a rule that is not there has neither settings nor params nor a lookback") {
    const auto rules = made("");
    CHECK(rules.find("R-9", home("a")) == nullptr);
    CHECK(rules.variants("R-9").empty());
    CHECK_FALSE(rules.enabled_somewhere("R-9"));
    CHECK(rules.longest_lookback("R-9") == config::minutes{0});
    CHECK(HomeRules{}.find("R-1", home("a")) == nullptr);
}

TEST_CASE("what an entry says counts for its home alone") {
    const auto rules = made(R"(homes:
  - home_id: a
    rules:
      R-1: {enabled_in_scheduler: false, lookback_minutes: 90, expire_after_minutes: 30, monitor_mode: "TEST"}
      R-2: {enabled_in_scheduler: true}
)");
    CHECK(*rules.find("R-1", home("a")) ==
          config::HomeRule{false, config::minutes{90}, config::minutes{30}, 0, MonitorMode::test});
    CHECK(rules.find("R-2", home("a"))->enabled);
    CHECK(*rules.find("R-1", home("b")) == config::HomeRule{true, config::minutes{60}, config::minutes{60}, 0, {}});
    CHECK_FALSE(rules.find("R-2", home("b"))->enabled);
    CHECK(rules.enabled_somewhere("R-2"));
    CHECK(rules.longest_lookback("R-1") == config::minutes{90});
}

TEST_CASE("params are merged: a map by its members, everything else as a whole") {
    const auto rules = made(R"(homes:
  - home_id: a
    rules: {R-1: {params: {most: 5, night: {to: 6}}}}
)");
    CHECK(params(rules, home("a")) == R"({"most":5,"night":{"from":22,"to":6},"tz":"Europe/Oslo"})");
    CHECK(params(rules, home("b")) == kOwn);
    CHECK(rules.variants("R-1").size() == 2);
    CHECK(rules.variants("R-2").size() == 1);
}

TEST_CASE("homes with the same params share them") {
    const auto rules = made(R"(homes:
  - {home_id: a, rules: {R-1: {params: {most: 5}}}}
  - {home_id: b, rules: {R-1: {params: {most: 5}}}}
  - {home_id: c, rules: {R-1: {params: {most: 3}}}}
)");
    CHECK(rules.variants("R-1").size() == 2);
    CHECK(rules.find("R-1", home("a"))->variant == rules.find("R-1", home("b"))->variant);
    CHECK(rules.find("R-1", home("c"))->variant == 0);
}

TEST_CASE("entries count from top to bottom, whatever they name") {
    const auto rules = made(R"(homes:
  - {org_id: north, rules: {R-1: {params: {most: 4}, lookback_minutes: 70}}}
  - {home_id: a, rules: {R-1: {params: {word: x}}}}
  - {subject_id: kari, rules: {R-1: {params: {most: 6}}}}
  - {org_id: north, home_id: a, subject_id: kari, monitor_mode: "TEST"}
)");
    CHECK(params(rules, home("b", "north")) == R"({"most":4,"night":{"from":22,"to":7},"tz":"Europe/Oslo"})");
    CHECK(params(rules, home("a", "north")) == R"({"most":4,"night":{"from":22,"to":7},"tz":"Europe/Oslo","word":"x"})");
    CHECK(params(rules, home("a", "south")) == R"({"most":3,"night":{"from":22,"to":7},"tz":"Europe/Oslo","word":"x"})");
    CHECK(params(rules, home("a", "south", "kari")) == R"({"most":6,"night":{"from":22,"to":7},"tz":"Europe/Oslo","word":"x"})");
    CHECK(params(rules, home("b", "south", "kari")) == R"({"most":6,"night":{"from":22,"to":7},"tz":"Europe/Oslo"})");
    CHECK(rules.find("R-1", home("a", "north", "kari"))->lookback == config::minutes{70});
    CHECK(rules.find("R-1", home("a", "north", "kari"))->monitor_mode == MonitorMode::test);
    CHECK_FALSE(rules.find("R-1", home("a", "north"))->monitor_mode);
}

TEST_CASE("a home's monitor mode is that of every rule, unless the rule has one there") {
    const auto rules = made(R"(homes:
  - {home_id: a, monitor_mode: "TEST", rules: {R-2: {monitor_mode: "OFF"}}}
)");
    CHECK(rules.find("R-1", home("a"))->monitor_mode == MonitorMode::test);
    CHECK(rules.find("R-2", home("a"))->monitor_mode == MonitorMode::off);
}

TEST_CASE("a home's timezone replaces every parameter that is a zone") {
    const auto homes = R"(homes:
  - {home_id: a, timezone: America/New_York}
  - {home_id: b, timezone: America/New_York, rules: {R-1: {params: {tz: Asia/Tokyo}}}}
)";
    const auto rules = made(homes);
    CHECK(params(rules, home("a")) == R"({"most":3,"night":{"from":22,"to":7},"tz":"America/New_York"})");
    CHECK(params(rules, home("b")) == R"({"most":3,"night":{"from":22,"to":7},"tz":"Asia/Tokyo"})");
    const auto unset = made(homes, "rules: {R-1: {}}\n");
    CHECK(params(unset, home("a")) == R"({"tz":"America/New_York"})");
    const auto nested = made(homes, "rules: {R-1: {params: {params: {most: 1}}}}\n",
                             "id: R-1\nnested_params: true\nparams: {tz: {type: zone}, most: {type: integer}}\n");
    CHECK(params(nested, home("a")) == R"({"params":{"most":1,"tz":"America/New_York"}})");
}

TEST_CASE("a refusal of a home's params names the entry and the place") {
    const auto rules =
        made("homes:\n  - home_id: a\n    timezone: Asia/Tokyo\n    rules:\n      R-1:\n        params:\n          most: 8\n");
    const auto& variant = rules.variants("R-1")[rules.find("R-1", home("a"))->variant];
    core::Failed refusal;
    refusal.reason = core::FailureReason::create_failed;
    refusal.param = "most";
    refusal.message = "is more than three";
    CHECK(config::told_by_rule("rules.yaml", variant, refusal) ==
          "rules.yaml:14:17: homes[0].rules.R-1.params.most: is more than three");
    refusal.param = "tz";
    refusal.message = "is too far east";
    CHECK(config::told_by_rule("rules.yaml", variant, refusal) ==
          "rules.yaml:10:15: homes[0].rules.R-1.params.tz: is too far east");
}

TEST_CASE("params of homes are checked like those of all") {
    const auto fits = config::check_params(parsed("homes:\n  - {home_id: a, rules: {R-1: {params: {most: 10}}}}\n"), manifests());
    REQUIRE_FALSE(fits);
    CHECK(fits.error().context == "rules.yaml:9:47: homes[0].rules.R-1.params.most: 10 is outside 9 and less");
}

TEST_CASE("what is wrong with an entry is named") {
    CHECK(problem("homes: {a: 1}\n") == "rules.yaml:8:8: homes: must be a list");
    CHECK(problem("homes: [a]\n") == "rules.yaml:8:9: homes[0]: must be a map of keys with values");
    CHECK(problem("homes:\n  - {monitor_mode: \"TEST\"}\n") ==
          "rules.yaml:9:5: homes[0]: says nowhere whom it is about; give it a home_id, an org_id or a subject_id");
    CHECK(problem("homes:\n  - {org_id: o, home_id: 7}\n") ==
          "rules.yaml:9:26: homes[0].home_id: 7 is not a text; write it in quotes");
    CHECK(problem("homes:\n  - {home_id: a, timezone: Europe/Bergen}\n") ==
          "rules.yaml:9:28: homes[0].timezone: 'Europe/Bergen' is not a time zone such as Europe/Oslo");
    CHECK(problem("homes:\n  - {home_id: a, monitor_mode: \"MAYBE\"}\n").find("none of ON, TEST, OFF") != std::string::npos);
    CHECK(problem("homes:\n  - {home_id: a, rules: {R-7: {}}}\n") ==
          "rules.yaml:9:26: homes[0].rules.R-7: there is no such rule under rules:");
    CHECK(
        problem("homes:\n  - {home_id: a, rules: {R-1: {memory_mb: 64}}}\n").find("homes[0].rules.R-1.memory_mb: unknown key") !=
        std::string::npos);
    CHECK(problem("homes:\n  - {home_id: a, rules: {R-1: {lookback_minutes: 0}}}\n").find("0 is outside 1..") !=
          std::string::npos);
}

TEST_CASE("a thousand homes of their own are quick, more params than a worker holds are refused") {
    std::string homes = "homes:\n";
    for (int i = 0; i < 1'000; ++i)
        homes += fmt::format("  - {{home_id: h{}, rules: {{R-1: {{params: {{most: {}}}}}}}}}\n", i, i % 5);
    const auto rules = made(homes);
    CHECK(rules.variants("R-1").size() == 5);
    CHECK(params(rules, home("h999")) == R"({"most":4,"night":{"from":22,"to":7},"tz":"Europe/Oslo"})");
    homes = "homes:\n";
    for (int i = 0; i < 200; ++i) homes += fmt::format("  - {{home_id: h{}, rules: {{R-1: {{params: {{word: w{}}}}}}}}}\n", i, i);
    const auto too_many = HomeRules::make(parsed(homes), manifests());
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().context.find("rule R-1 gets 201 different params; at most 200 are possible") != std::string::npos);
}

TEST_CASE("entries that overlap in too many ways are refused, not expanded") {
    std::string homes = "homes:\n";
    for (int i = 0; i < 120; ++i) homes += fmt::format("  - {{home_id: h{}}}\n  - {{subject_id: s{}}}\n", i, i);
    const auto too_many = HomeRules::make(parsed(homes), manifests());
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().context.find("entries overlap in more than 10000 ways") != std::string::npos);
}
