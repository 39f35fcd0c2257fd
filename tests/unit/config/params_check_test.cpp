#include "config/params_check.hpp"

#include "config/local_time_text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace varde;

namespace {

constexpr auto kManifest = R"(
id: R-1
nested_params: true
params:
  words: {type: list_of_text}
  most: {type: integer, min: -1, max: 9}
  least: {type: real, min: 0.5}
  name: {type: text}
  strict: {type: boolean}
  tz: {type: zone}
  night:
    type: object
    members:
      start: {type: local_time}
  anything: {type: object}
)";

config::RulesConfig rules(const std::string& params) {
    auto config = config::parse_rules("rules:\n  R-1:\n    params:\n" + params, "rules.yaml");
    if (!config) FAIL(config.error().context);
    return std::move(*config);
}
/// What is wrong with the params, from line 4 of rules.yaml on; empty: nothing.
std::string problem(const std::string& params, const char* manifest = kManifest) {
    const auto parsed = config::parse_rule_manifest(manifest, "rule.yaml");
    if (!parsed) FAIL(parsed.error().context);
    const auto fits = config::check_params(rules(params), {{"R-1", *parsed}});
    if (fits) return {};
    CHECK(fits.error().code == core::Errc::config_invalid);
    return fits.error().context;
}
core::Failed refusal(const std::string& param, const std::string& message) {
    core::Failed failed;
    failed.reason = core::FailureReason::create_failed;
    failed.message = message;
    failed.param = param;
    return failed;
}

}  // namespace

TEST_CASE("params of the types that rule.yaml names, within its bounds, fit") {
    CHECK(problem(R"(
      words: [a, "b", "on"]
      most: 9
      least: 0.5
      name: front
      strict: true
      tz: Europe/Oslo
      night: {start: "23:00"}
      anything: {what: [ever], it: {is: 1}}
)") == "");
    CHECK(problem("      words: []\n      least: 3\n      most: -1\n      night: {}\n") == "");
}

TEST_CASE("an unknown parameter is told with the place of its name and what was probably meant") {
    CHECK(problem("      most: 1\n      wordz: [a]\n") ==
          "rules.yaml:5:7: rules.R-1.params.wordz: unknown parameter; did you mean 'words'?");
    CHECK(problem("      night: {strat: \"23:00\"}\n") ==
          "rules.yaml:4:15: rules.R-1.params.night.strat: unknown parameter; did you mean 'start'?");
    CHECK(problem("      qqqqqqqqqq: 1\n")
              .ends_with("qqqqqqqqqq: unknown parameter; known here: words, most, least, name, strict, "
                         "tz, night, anything"));
    CHECK(problem("      a: 1\n", "id: R-1\n") == "rules.yaml:4:7: rules.R-1.params.a: unknown parameter; the rule takes none");
}

TEST_CASE("a value of another type is told with its place") {
    const std::string at = "rules.yaml:4:";
    CHECK(problem("      most: \"9\"\n") == at + "13: rules.R-1.params.most: \"9\" is not a whole number -1..9");
    CHECK(problem("      most: 1.5\n") == at + "13: rules.R-1.params.most: 1.5 is not a whole number -1..9");
    CHECK(problem("      most: true\n") == at + "13: rules.R-1.params.most: true is not a whole number -1..9");
    CHECK(problem("      least: [1]\n") == at + "14: rules.R-1.params.least: a list is not a number 0.5 and more");
    CHECK(problem("      name: 12\n") == at + "13: rules.R-1.params.name: 12 is not a text; write it in quotes");
    CHECK(problem("      strict: 1\n") == at + "15: rules.R-1.params.strict: 1 is not true or false");
    CHECK(problem("      words: a\n") == at + "14: rules.R-1.params.words: \"a\" is not a list of texts");
    CHECK(problem("      night: 23\n") == at + "14: rules.R-1.params.night: 23 is not a map");
    CHECK(problem("      night: {start: 22}\n") ==
          at + "22: rules.R-1.params.night.start: 22 is not a time of day in quotes, such as \"23:00:00\"");
}

TEST_CASE("an element of a list has a place of its own") {
    CHECK(problem("      words:\n        - a\n        - 7\n") ==
          "rules.yaml:6:11: rules.R-1.params.words[1]: 7 is not a text; write it in quotes");
    CHECK(problem("      words: [[a]]\n") ==
          "rules.yaml:4:15: rules.R-1.params.words[0]: a list is not a text; write it in quotes");
}

TEST_CASE("a parameter without a value is not one with the default") {
    CHECK(problem("      most:\n") ==
          "rules.yaml:4:7: rules.R-1.params.most: has no value; give it one, or leave the key out for the default");
    CHECK(problem("      night: {start: null}\n").starts_with("rules.yaml:4:15: rules.R-1.params.night.start: has no value"));
}

TEST_CASE("bounds are inclusive, zones must exist and times of day be readable") {
    CHECK(problem("      most: 10\n") == "rules.yaml:4:13: rules.R-1.params.most: 10 is outside -1..9");
    CHECK(problem("      most: -2\n") == "rules.yaml:4:13: rules.R-1.params.most: -2 is outside -1..9");
    CHECK(problem("      least: 0.4\n") == "rules.yaml:4:14: rules.R-1.params.least: 0.4 is outside 0.5 and more");
    CHECK(problem("      tz: Nowhere/City\n") ==
          "rules.yaml:4:11: rules.R-1.params.tz: \"Nowhere/City\" is not a time zone such as Europe/Oslo");
    CHECK(problem("      tz: ../x\n").ends_with("\"../x\" is not a time zone such as Europe/Oslo"));
    CHECK(problem("      night: {start: \"25:00\"}\n") ==
          "rules.yaml:4:22: rules.R-1.params.night.start: \"25:00\" is not a local time of day such as \"23:00:00\"");
}

TEST_CASE("of a long text little is shown: it may be a secret on the wrong key") {
    const auto told = problem("      strict: abcdefghijklmnopqrstuvwxyz\n");
    CHECK(told.ends_with("\"abcdefghijklmnopq...\" is not true or false"));
}

TEST_CASE("all problems of all rules are told, in the order of the file") {
    const auto config = config::parse_rules("rules:\n  R-2: {params: {b: 1}}\n  R-1: {params: {a: 1}}\n", "rules.yaml");
    REQUIRE(config.has_value());
    config::RuleManifest takes_none;
    const auto fits = config::check_params(*config, {{"R-1", takes_none}, {"R-2", takes_none}});
    REQUIRE_FALSE(fits.has_value());
    CHECK(fits.error().context ==
          "rules.yaml:2:18: rules.R-2.params.b: unknown parameter; the rule takes none\n"
          "rules.yaml:3:18: rules.R-1.params.a: unknown parameter; the rule takes none");
}

TEST_CASE("a rule without a manifest is not checked") {
    CHECK(config::check_params(rules("      whatever: 1\n"), {}).has_value());
}

TEST_CASE("a rule that reads nested params is checked where it reads") {
    CHECK(problem("      enabled_in_scheduler: true\n      params:\n        most: 3\n") == "");
    CHECK(problem("      params:\n        most: 30\n") == "rules.yaml:5:15: rules.R-1.params.params.most: 30 is outside -1..9");
    CHECK(problem("      params: {}\n      most: 3\n") ==
          "rules.yaml:5:7: rules.R-1.params.most: is not read: the params inside 'params' count; move it there");
    CHECK(problem("      params: 3\n").starts_with("rules.yaml:4:7: rules.R-1.params.params: unknown parameter"));
    CHECK(problem("      params: {most: 3}\n", "id: R-1\nparams: {most: {type: integer}}\n")
              .starts_with("rules.yaml:4:7: rules.R-1.params.params: unknown parameter"));
}

TEST_CASE("what a rule says of its parameters is told with the place of the one it names, or of what that would stand in") {
    const auto config = rules("      night:\n        start: \"23:00\"\n      words: [a, b]\n");
    const auto told = [&](const char* param, const char* message) {
        return config::told_by_rule(config, "R-1", refusal(param, message));
    };
    CHECK(told("night.start", "night.start: is odd") == "rules.yaml:5:16: rules.R-1.params.night.start: is odd");
    CHECK(told("night.end", "night.end: is missing") == "rules.yaml:5:9: rules.R-1.params.night.end: is missing");
    CHECK(told("words[1]", "words[1]: is odd") == "rules.yaml:6:18: rules.R-1.params.words[1]: is odd");
    CHECK(told("most", "most: 5 is below 7") == "rules.yaml:3:5: rules.R-1.params.most: 5 is below 7");
    CHECK(told("", "these do not go together") == "rules.yaml:3:5: rules.R-1.params: these do not go together");
    CHECK(config::told_by_rule(config, "R-2", refusal("", "as it is")) == "as it is");
}

TEST_CASE("a rule without params has the place of its id") {
    const auto config = config::parse_rules("rules:\n  R-1: {}\n", "rules.yaml");
    REQUIRE(config.has_value());
    CHECK(config::told_by_rule(*config, "R-1", refusal("a", "a: is missing")) ==
          "rules.yaml:2:3: rules.R-1.params.a: is missing");
}

TEST_CASE("local times are read as rules read them") {
    for (const auto* good : {"23", "23:00", "23:00:59", "2300", "230059", "T23:00", "00:00:00.5", "23:59:59,123456789"}) {
        CAPTURE(good);
        CHECK(config::is_local_time(good));
    }
    for (const auto* bad : {"", "T", "2", "24:00", "23:60", "23:00:60", "kl 22", "23:00:00+01:00", "23:0", "23:", "2300:00",
                            "23:00:00.", "23:00:00.x", " 23:00", "23:0000"}) {
        CAPTURE(bad);
        CHECK_FALSE(config::is_local_time(bad));
    }
}

// errors.jsonl: parameters that the reference lets through to the run, where they raise, some only when an event arrives.
TEST_CASE("whatever raises in the reference is refused when rules.yaml is loaded, with file and line") {
    const char* shared = std::getenv("VARDE_SHARED");
    const auto folder =
        shared != nullptr ? std::filesystem::path{shared} : std::filesystem::path{VARDE_SOURCE_DIR}.parent_path() / "shared";
    std::ifstream file{folder / "conformance/errors.jsonl"};
    if (!file) {
        MESSAGE("skipped: there is no " << (folder / "conformance/errors.jsonl").string());
        return;
    }
    int refused = 0;
    for (std::string line; std::getline(file, line);) {
        const auto vector = nlohmann::json::parse(line);
        const auto id = vector.at("rule_id").get<std::string>();
        CAPTURE(vector.at("vector_id").get<std::string>());
        REQUIRE(vector.at("params").size() == 1);
        const auto [name, value] = *vector.at("params").items().begin();
        // JSON is YAML; the blanks are for readers that want one after a colon.
        auto text = value.dump();
        for (auto at = text.find("\":"); at != std::string::npos; at = text.find("\":", at + 2)) text.insert(at + 2, " ");
        const auto config =
            config::parse_rules(fmt::format("rules:\n  {}:\n    params:\n      {}: {}\n", id, name, text), "rules.yaml");
        if (!config) FAIL(config.error().context);
        CHECK(nlohmann::json::parse(config->rules.at(id).params) == vector.at("params"));
        const auto manifest = config::load_rule_manifest(VARDE_SOURCE_DIR "/plugins/" + id + "/rule.yaml");
        REQUIRE(manifest.has_value());
        const auto fits = config::check_params(*config, {{id, *manifest}});
        REQUIRE_FALSE(fits.has_value());
        CHECK(fits.error().context.starts_with("rules.yaml:4:"));
        CHECK(fits.error().context.find(fmt::format("rules.{}.params.{}", id, name)) != std::string::npos);
        ++refused;
    }
    CHECK(refused == 27);
}

TEST_CASE("the shipped rules.yaml fits the shipped rules") {
    const auto config = config::load_rules(VARDE_SOURCE_DIR "/config/rules.yaml");
    REQUIRE(config.has_value());
    config::RuleManifests manifests;
    for (const auto& [id, rule] : config->rules) {
        auto manifest = config::load_rule_manifest(VARDE_SOURCE_DIR "/plugins/" + id + "/rule.yaml");
        REQUIRE(manifest.has_value());
        manifests.emplace(id, std::move(*manifest));
    }
    const auto fits = config::check_params(*config, manifests);
    if (!fits) FAIL(fits.error().context);
    CHECK(manifests.size() == 10);
}
