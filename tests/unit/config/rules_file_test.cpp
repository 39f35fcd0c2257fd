#include "config/settings.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace varde;
using config::parse_rules;

namespace {

/// What is said about a file that must not be usable.
std::string problem_of(std::string_view text) {
    const auto parsed = parse_rules(text, "rules.yaml");
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == core::Errc::config_invalid);
    return parsed.error().context;
}

config::RulesConfig config_of(std::string_view text) {
    const auto parsed = parse_rules(text, "rules.yaml");
    const std::string problem = parsed ? "" : parsed.error().context;
    REQUIRE(problem == "");
    return *parsed;
}

}  // namespace

TEST_CASE("a file without settings gives the documented defaults") {
    const auto config = config_of("{}");
    CHECK(config.interval == std::chrono::minutes{1});
    CHECK(config.default_subject_key == "default");
    CHECK(config.default_lookback == std::chrono::minutes{60});
    CHECK(config.default_expire_after == std::chrono::minutes{60});
    CHECK(config.rules.empty());
}

TEST_CASE("a rule without settings is off and has the file's defaults") {
    const auto rule =
        config_of("defaults: {lookback_minutes: 90, expire_after_minutes: 45}\nrules:\n  R-X: {}\n").rules.at("R-X");
    CHECK_FALSE(rule.enabled_in_scheduler);
    CHECK(rule.lookback == std::chrono::minutes{90});
    CHECK(rule.expire_after == std::chrono::minutes{45});
    CHECK(rule.params == "{}");
    CHECK(rule.timeout == std::chrono::milliseconds{2000});
    CHECK(rule.memory_mb == 128);
    CHECK(rule.isolation == "process");
    CHECK_FALSE(rule.requires_baseline.has_value());
}

TEST_CASE("every key of a rule is read, also when the defaults stand after the rules") {
    const auto config = config_of(R"(
rules:
  R-001:
    enabled_in_scheduler: true
    expire_after_minutes: 360
    evaluation_mode: baseline_dependent
    requires_baseline: true
    requires_profile: false
    min_days_with_data: 3
    profile_mode: default_window
    uses_default_profile_when_missing: true
    timeout_ms: 250
    memory_mb: 64
    group: house
    isolation: process
    sha256: 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
defaults: {lookback_minutes: 7}
scheduler: {interval_minutes: 5, default_subject_key: "5"}
)");
    CHECK(config.interval == std::chrono::minutes{5});
    CHECK(config.default_subject_key == "5");
    const auto& rule = config.rules.at("R-001");
    CHECK(rule.enabled_in_scheduler);
    CHECK(rule.lookback == std::chrono::minutes{7});
    CHECK(rule.expire_after == std::chrono::minutes{360});
    CHECK(rule.evaluation_mode == "baseline_dependent");
    CHECK(rule.requires_baseline == true);
    CHECK(rule.requires_profile == false);
    CHECK(rule.min_days_with_data == 3);
    CHECK(rule.profile_mode == "default_window");
    CHECK(rule.uses_default_profile_when_missing);
    CHECK(rule.timeout == std::chrono::milliseconds{250});
    CHECK(rule.memory_mb == 64);
    CHECK(rule.group == "house");
    CHECK(rule.sha256.size() == 64);
}

TEST_CASE("params become JSON with integers, reals, booleans, texts and null kept apart") {
    const auto rule = config_of(R"(
rules:
  R-001:
    params: {i: 15, neg: -3, r: 1.0, e: 1e3, b: true, t: "true", n: "15", z: null, block: '0123',
             list: [1, a], map: {k: ~}, time: 23:00:00}
)")
                          .rules.at("R-001");
    CHECK(rule.params ==
          R"({"b":true,"block":"0123","e":1000.0,"i":15,"list":[1,"a"],"map":{"k":null},"n":"15","neg":-3,"r":1.0,"t":"true",)"
          R"("time":"23:00:00","z":null})");
}

TEST_CASE("an unknown key is an error that names the place and the key that was probably meant") {
    CHECK(problem_of("rules:\n  R-001:\n    lookback_minuts: 180\n") ==
          "rules.yaml:3:5: rules.R-001.lookback_minuts: unknown key; did you mean 'lookback_minutes'?");
    CHECK(problem_of("schedular: {}\n") == "rules.yaml:1:1: schedular: unknown key; did you mean 'scheduler'?");
    CHECK(problem_of("scheduler:\n  interval: 5\n") ==
          "rules.yaml:2:3: scheduler.interval: unknown key; did you mean 'interval_minutes'?");
    CHECK(problem_of("colour: blue\n") == "rules.yaml:1:1: colour: unknown key; known here: scheduler, defaults, rules, homes");
}

TEST_CASE("a key that is given twice is an error, wherever it stands") {
    CHECK(problem_of("rules:\n  R-001: {}\n  R-002: {}\n  R-001: {}\n") ==
          "rules.yaml:4:3: rules.R-001: is given twice; the first is in line 2");
    CHECK(problem_of("rules:\n  R-001:\n    params:\n      a: 1\n      a: 2\n") ==
          "rules.yaml:5:7: rules.R-001.params.a: is given twice; the first is in line 4");
}

TEST_CASE("all problems of a file are reported at once, in file order") {
    CHECK(problem_of(
              "rules:\n  R-001:\n    lookback_minutes: 0\n    expire_after_minutes: x\nscheduler: {interval_minutes: 1441}\n") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: 0 is outside 1..86400\n"
          "rules.yaml:4:27: rules.R-001.expire_after_minutes: x is not a whole number 1..525600\n"
          "rules.yaml:5:31: scheduler.interval_minutes: 1441 is outside 1..1440");
}

TEST_CASE("values of the wrong type are errors that say what is wanted") {
    const auto in_rule = [](std::string_view line) { return problem_of("rules:\n  R-001:\n    " + std::string{line} + "\n"); };
    CHECK(in_rule("enabled_in_scheduler: \"false\"") ==
          "rules.yaml:3:27: rules.R-001.enabled_in_scheduler: \"false\" is not true or false");
    CHECK(in_rule("enabled_in_scheduler: yes") == "rules.yaml:3:27: rules.R-001.enabled_in_scheduler: yes is not true or false");
    CHECK(in_rule("enabled_in_scheduler: 0") == "rules.yaml:3:27: rules.R-001.enabled_in_scheduler: 0 is not true or false");
    CHECK(in_rule("lookback_minutes: \"7\"") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: \"7\" is not a whole number 1..86400");
    CHECK(in_rule("lookback_minutes: 2.9") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: 2.9 is not a whole number 1..86400");
    CHECK(in_rule("lookback_minutes: 0123") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: 0123 is not a whole number 1..86400: leading zeros mean octal to some "
          "readers; "
          "leave them out, or write it in quotes for text");
    CHECK(in_rule("lookback_minutes: [1]") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: is a list; give a whole number 1..86400");
    CHECK(in_rule("lookback_minutes: {a: 1}") ==
          "rules.yaml:3:23: rules.R-001.lookback_minutes: is a map; give a whole number 1..86400");
    CHECK(in_rule("lookback_minutes:") ==
          "rules.yaml:3:5: rules.R-001.lookback_minutes: has no value; give it one, or leave the key out for the default");
    CHECK(in_rule("group: 5") == "rules.yaml:3:12: rules.R-001.group: 5 is not a text; write it in quotes");
    CHECK(in_rule("params: [1]") == "rules.yaml:3:13: rules.R-001.params: must be a map of keys with values");
    CHECK(
        in_rule("evaluation_mode: baseline") ==
        "rules.yaml:3:22: rules.R-001.evaluation_mode: 'baseline' is none of independent, baseline_dependent, profile_dependent; "
        "did you "
        "mean 'baseline_dependent'?");
    CHECK(in_rule("isolation: in_process") ==
          "rules.yaml:3:16: rules.R-001.isolation: 'in_process' is none of process; did you mean 'process'?");
    CHECK(in_rule("sha256: abc") == "rules.yaml:3:13: rules.R-001.sha256: has 3 characters; 64..64 are allowed");
    CHECK(in_rule("sha256: " + std::string(64, 'X')) ==
          "rules.yaml:3:13: rules.R-001.sha256: is not 64 lower-case hexadecimal digits");
    CHECK(in_rule("timeout_ms: 9") == "rules.yaml:3:17: rules.R-001.timeout_ms: 9 is outside 10..600000");
    CHECK(in_rule("memory_mb: 8192") == "rules.yaml:3:16: rules.R-001.memory_mb: 8192 is outside 16..4096");
    CHECK(in_rule("schedule: \"* * * * *\"") ==
          "rules.yaml:3:15: rules.R-001.schedule: must be a map such as {cron: \"0 7 * * *\", timezone: Europe/Oslo}, "
          "{every: 30s} or {event: door}");
}

TEST_CASE("a rule may have a schedule of its own: a wall clock, a period, an event, or only when it is asked for") {
    const auto schedule_of = [](const std::string& text) {
        const auto config = config::parse_rules("rules: {R-001: {schedule: " + text + "}}\n", "rules.yaml");
        core::Trigger refused;
        if (!config) refused.expression = config.error().context;
        return config ? config->rules.at("R-001").schedule.value() : refused;
    };
    const auto wall = schedule_of("{cron: \"0 7 * * *\", timezone: Europe/Oslo}");
    CHECK(wall.kind == core::TriggerKind::cron);
    CHECK(wall.zone == "Europe/Oslo");
    CHECK(schedule_of("{every: 30s}").period == std::chrono::seconds{30});
    CHECK(schedule_of("{event: door, debounce: 200ms}").event.category == "door");
    CHECK(schedule_of("{manual: true}").kind == core::TriggerKind::manual);
    CHECK(schedule_of("{every: 5x}").expression ==
          "rules.yaml:1:27: rules.R-001.schedule: schedule.every: '5x' is no duration such as 30s, 5m, 1h30m or 1d");
    CHECK(
        schedule_of("{at: \"2026-01-15T12:00:00Z\"}").expression ==
        "rules.yaml:1:27: rules.R-001.schedule: must have one of cron, every, event and manual: a rule is asked again and again");
    CHECK_FALSE(config::parse_rules("rules: {R-001: {}}\n", "rules.yaml")->rules.at("R-001").schedule.has_value());
}

TEST_CASE("what YAML readers disagree about is refused in params with the way out") {
    const auto in_params = [](std::string_view value) {
        return problem_of("rules: {R-001: {params: {a: " + std::string{value} + "}}}\n");
    };
    CHECK(in_params("on") == "rules.yaml:1:29: rules.R-001.params.a: on is ambiguous: write \"on\" in quotes for text, or true");
    CHECK(in_params("No") == "rules.yaml:1:29: rules.R-001.params.a: No is ambiguous: write \"No\" in quotes for text, or false");
    CHECK(in_params("0x1F") ==
          "rules.yaml:1:29: rules.R-001.params.a: 0x1F is ambiguous: write the number in plain decimal digits, or in quotes "
          "for text");
    CHECK(in_params("[1, .inf]") == "rules.yaml:1:33: rules.R-001.params.a[1]: .inf is ambiguous: it is not a finite number");
    CHECK(in_params("99999999999999999999") ==
          "rules.yaml:1:29: rules.R-001.params.a: 99999999999999999999 is ambiguous: it does not fit 64 bits");
}

TEST_CASE("anchors, aliases, merge keys and tags are refused") {
    const auto text = problem_of("rules:\n  R-001: &a {}\n  R-002: *a\n");
    CHECK(text.find("rules.yaml:2:10: rules.R-001: anchors (&name) are not supported; remove it") != std::string::npos);
    CHECK(text.find("rules.yaml:3:10: rules.R-002: aliases (*name) are not supported; write the value out") != std::string::npos);
    CHECK(problem_of("rules: {R-001: {<<: {timeout_ms: 50}}}\n")
              .find("rules.yaml:1:17: rules.R-001: merge keys (<<) are not supported") != std::string::npos);
    CHECK(problem_of("rules: {R-001: {timeout_ms: !!int 50}}\n") ==
          "rules.yaml:1:29: rules.R-001.timeout_ms: tags other than !!str are not supported; remove it");
}

TEST_CASE("a text that is no usable YAML document says where and why") {
    CHECK(problem_of("") == "rules.yaml:1:1: the file is empty; write {} for a file without settings");
    CHECK(problem_of("# only a comment\n") == "rules.yaml:1:1: the file is empty; write {} for a file without settings");
    CHECK(problem_of("- a\n") == "rules.yaml:1:1: the file must be a list of keys with values");
    CHECK(problem_of("{}\n---\n{}\n") == "rules.yaml:1:1: holds more than one YAML document; keep one");
    CHECK(problem_of("rules: [\n").starts_with("rules.yaml:2:1: is not YAML: "));
    CHECK(problem_of("rules:\n\tR-001: {}\n") ==
          "rules.yaml:2:7: is not YAML: illegal map value; indent with blanks, not with tabs");
    CHECK(problem_of("# bl\xC3\xA5\n# \xFF\n") == "rules.yaml:2:3: is not UTF-8 here; save the file as UTF-8");
    CHECK(problem_of("? [a]\n: 1\n").find("a key must be plain text") != std::string::npos);
    CHECK(problem_of(std::string(3000, '[')).starts_with("rules.yaml:1:"));
    CHECK(problem_of(std::string((1 << 20) + 1, '#')) == "rules.yaml:1:1: the file has 1048577 bytes; the limit is 1048576");
}

TEST_CASE("columns count characters, not bytes") {
    CHECK(problem_of("rules: {R-001: {params: {\"bl\xC3\xA5\": 1, a: on}}}\n").starts_with("rules.yaml:1:39: "));
}

TEST_CASE("params that are too deep or too long are refused") {
    std::string deep = "1";
    for (int i = 0; i < 17; ++i) deep = "[" + deep + "]";
    CHECK(problem_of("rules: {R-001: {params: {a: " + deep + "}}}").find("is nested deeper than 16 levels") != std::string::npos);
    CHECK(problem_of("rules: {R-001: {params: {a: \"" + std::string(65'536, 'x') + "\"}}}").find("the limit is 65536") !=
          std::string::npos);
}

TEST_CASE("rule ids and rules of the wrong shape are refused") {
    CHECK(problem_of("rules: {\"R 1\": {}}") ==
          "rules.yaml:1:9: rules.R 1: is not a rule id: 1..64 letters, digits, '-', '_' and '.'");
    CHECK(problem_of("rules: {R-001: }") ==
          "rules.yaml:1:9: rules.R-001: must be a map of keys with values; write {} for a rule with defaults");
}

TEST_CASE("the shipped rules.yaml runs every rule of plugins/ with the documented windows") {
    const auto loaded = config::load_rules(std::filesystem::path{VARDE_SOURCE_DIR} / "config/rules.yaml");
    const std::string problem = loaded ? "" : loaded.error().context;
    REQUIRE(problem == "");
    std::size_t folders = 0;
    for (const auto& folder : std::filesystem::directory_iterator{std::filesystem::path{VARDE_SOURCE_DIR} / "plugins"}) {
        CHECK_MESSAGE(loaded->rules.contains(folder.path().filename().string()), folder.path());
        ++folders;
    }
    CHECK(loaded->rules.size() == folders);
    CHECK(loaded->interval == std::chrono::minutes{1});
    for (const auto& [id, rule] : loaded->rules) CHECK_MESSAGE(rule.enabled_in_scheduler, id);
    CHECK(loaded->rules.at("R-001").lookback == std::chrono::minutes{180});
    CHECK(loaded->rules.at("R-001").expire_after == std::chrono::minutes{360});
    CHECK(
        loaded->rules.at("R-001").params ==
        R"({"away_at_most_minutes":720,"count_ends":true,"front_door_room_id":"inngang",)"
        R"("motion_categories":["presence","motion"],)"
        R"("motion_on_value":"on","night_end_hour":7,"night_quiet_minutes":600,"night_start_hour":21,"no_sensor_after_hours":24,)"
        R"("presume_away_after_door_minutes":2,"typed_states":true,"tz":"Europe/Oslo","use_derived_room":true})");
    CHECK(loaded->rules.at("R-003").lookback == std::chrono::minutes{240});
    CHECK(loaded->rules.at("R-003").expire_after == std::chrono::minutes{720});
    CHECK(loaded->rules.at("R-003").params ==
          R"({"followup_minutes":10,"high_at_night":true,"judge_only_complete_followup":true,)"
          R"("motion_categories":["presence","motion"],"no_sensor_after_hours":24,)"
          R"("state_categories":["presence"],"typed_states":true,"tz":"Europe/Oslo"})");
}

TEST_CASE("a file that is not there or is a folder is an error that names it") {
    const auto missing = config::load_rules("no/such/rules.yaml");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().code == core::Errc::io_failed);
    CHECK(missing.error().context == "no/such/rules.yaml: cannot be opened: No such file or directory");
    const auto folder = config::load_rules(VARDE_SOURCE_DIR);
    REQUIRE_FALSE(folder.has_value());
    CHECK(folder.error().context.find("is a directory, not a file") != std::string::npos);
}

TEST_CASE("no damage to a file is worse than an error: cut, doubled and altered bytes never crash and never give half a rule") {
    std::ifstream file{std::filesystem::path{VARDE_SOURCE_DIR} / "config/rules.yaml"};
    const std::string good{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE(good.size() > 1000);
    std::uint32_t state = 1;
    const auto next = [&state](std::size_t below) {
        state = state * 1'664'525u + 1'013'904'223u;
        return static_cast<std::size_t>(state >> 8) % below;
    };
    const std::string bytes = "\t\n :{}[]-#&*!|>'\"%@`0x\xFF\x00\xC3";
    int usable = 0;
    for (int i = 0; i < 2'000; ++i) {
        auto text = good.substr(0, i % 4 == 0 ? next(good.size()) + 1 : good.size());
        for (std::size_t n = next(4) + 1; n > 0; --n) text[next(text.size())] = bytes[next(bytes.size())];
        const auto parsed = parse_rules(text, "rules.yaml");
        if (parsed) {
            ++usable;
        } else if (!parsed.error().context.starts_with("rules.yaml:")) {
            FAIL_CHECK(parsed.error().context);
        }
    }
    CHECK(usable > 0);
    CHECK(usable < 2'000);
}
