#include "config/rule_manifest.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace varde;

namespace {

config::RuleManifest parsed(std::string_view text) {
    const auto manifest = config::parse_rule_manifest(text, "rule.yaml");
    if (!manifest) FAIL(manifest.error().context);
    return *manifest;
}
std::string problem(std::string_view text) {
    const auto manifest = config::parse_rule_manifest(text, "rule.yaml");
    REQUIRE_FALSE(manifest.has_value());
    CHECK(manifest.error().code == core::Errc::config_invalid);
    return manifest.error().context;
}

}  // namespace

TEST_CASE("a rule.yaml says which parameters there are, and all defaults together are parameters") {
    const auto manifest = parsed(R"(
id: R-1
version: 1.0.0
lookback_minutes: 180
params:
  words: {type: list_of_text, default: [a, b], doc: Some words.}
  most: {type: integer, default: 3, min: -1, max: 9}
  plain: {type: text}
  night:
    type: object
    members:
      start: {type: local_time, default: "23:00"}
      end: {type: local_time}
)");
    CHECK(manifest.id == "R-1");
    CHECK(manifest.version == "1.0.0");
    CHECK(manifest.lookback == std::chrono::minutes{180});
    REQUIRE(manifest.params.size() == 4);
    CHECK(manifest.params[1].least == -1.0);
    CHECK(manifest.params[1].most == 9.0);
    CHECK(manifest.params[2].default_value.empty());
    CHECK(manifest.params[3].members.size() == 2);
    CHECK(manifest.default_params() == R"({"words":["a","b"],"most":3,"night":{"start":"23:00"}})");
}

TEST_CASE("a rule without parameters has none") { CHECK(parsed("id: R-1\n").default_params() == "{}"); }

TEST_CASE("every mistake is named with its place") {
    CHECK(problem("version: 1.0.0\n").find("id: is missing") != std::string::npos);
    CHECK(problem("id: R-1\nparms: {}\n").find("did you mean 'params'?") != std::string::npos);
    CHECK(problem("id: R-1\nparams:\n  a: {type: number}\n").find("rule.yaml:3:13: params.a.type") != std::string::npos);
    CHECK(problem("id: R-1\nparams:\n  a: {doc: x}\n").find("params.a.type: is missing") != std::string::npos);
    CHECK(problem("id: R-1\nparams:\n  a: {type: integer, min: low}\n").find("must be a number") != std::string::npos);
    CHECK(problem("id: R-1\nparams: {a: 5}\n").find("must be a map with a type") != std::string::npos);
    CHECK(problem("[1]\n").find("keys with values") != std::string::npos);
}

TEST_CASE("nesting has an end") {
    std::string text = "id: R-1\nparams: ";
    for (int depth = 0; depth < 10; ++depth) text += "{a: {type: object, members: ";
    text += "{}";
    for (int depth = 0; depth < 10; ++depth) text += "}}";
    CHECK(problem(text + "\n").find("nested too deep") != std::string::npos);
}

TEST_CASE("the rule.yaml of every rule of this project can be read") {
    int read = 0;
    for (const auto& folder : std::filesystem::directory_iterator{VARDE_SOURCE_DIR "/plugins"}) {
        const auto file = folder.path() / "rule.yaml";
        if (!std::filesystem::exists(file)) continue;
        const auto manifest = config::load_rule_manifest(file);
        if (!manifest) FAIL(manifest.error().context);
        CHECK(manifest->id == folder.path().filename().string());
        CHECK(manifest->default_params() != "{}");
        ++read;
    }
    CHECK(read >= 3);
}
