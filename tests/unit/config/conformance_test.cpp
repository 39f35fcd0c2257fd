// config.jsonl: what the reference's accessors answer for 20 raw configurations. Where the reference reads on with a wrong value, or
// raises while it runs, Varde refuses the file when it is loaded: those lines are listed with the reason.
#include "config/settings.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;

namespace {

const std::map<std::string, std::string> kStricter{
    {"config-04", "a number in quotes is text"},
    {"config-05", "2.9 minutes would silently become 2"},
    {"config-06", "a number in quotes, and 45.9 minutes"},
    {"config-08", "\"x\" would silently become the default"},
    {"config-09", "null would silently become the default"},
    {"config-10", "the reference raises at the end of every run"},
    {"config-11", "the reference raises at the end of every run"},
    {"config-12", "\"false\" would be true"},
    {"config-13", "0 is not a boolean"},
    {"config-14", "the reference raises"},
    {"config-15", "the reference raises"},
    {"config-16", "the reference raises"},
    {"config-17", "the reference raises"},
    {"config-18", "a window of no length finds nothing, or everything"},
    {"config-19", "a window that ends before it starts"},
    {"config-20", "60.9 minutes would silently become 60"},
};

std::filesystem::path shared_folder() {
    if (const char* folder = std::getenv("VARDE_SHARED")) return folder;
    return std::filesystem::path{VARDE_SOURCE_DIR}.parent_path() / "shared";
}

void check_answers(const config::RulesConfig& config, const std::string& rule_id, const json& expected) {
    CHECK(config.interval.count() == expected.at("scheduler_interval_minutes"));
    CHECK(config.default_subject_key == expected.at("scheduler_default_subject_key"));
    CHECK(config.default_lookback.count() == expected.at("defaults_lookback_minutes"));
    CHECK(config.default_expire_after.count() == expected.at("defaults_expire_after_minutes"));
    const auto found = config.rules.find(rule_id);
    if (found == config.rules.end()) return;
    const auto& rule = found->second;
    CHECK(rule.enabled_in_scheduler == expected.at("rule_enabled_in_scheduler"));
    CHECK(rule.lookback.count() == expected.at("rule_lookback_minutes"));
    CHECK(rule.expire_after.count() == expected.at("rule_expire_after_minutes"));
    CHECK(json::parse(rule.params) == expected.at("rule_params"));
    CHECK(rule.evaluation_mode == expected.at("rule_evaluation_mode"));
}

}  // namespace

TEST_CASE("configurations are read as the reference reads them, or refused when they are loaded") {
    std::ifstream file{shared_folder() / "conformance/config.jsonl"};
    if (!file) {
        MESSAGE("skipped: no conformance/config.jsonl (set VARDE_SHARED)");
        return;
    }
    int read = 0;
    int refused = 0;
    for (std::string line; std::getline(file, line);) {
        const auto vector = json::parse(line);
        const auto id = vector.at("vector_id").get<std::string>();
        CAPTURE(id);
        const auto parsed = config::parse_rules(vector.at("raw").dump(), "rules.yaml");
        if (kStricter.contains(id)) {
            CHECK_MESSAGE(!parsed.has_value(), kStricter.at(id));
            if (!parsed) CHECK(parsed.error().context.starts_with("rules.yaml:1:"));
            ++refused;
            continue;
        }
        const std::string problem = parsed ? "" : parsed.error().context;
        REQUIRE(problem == "");
        check_answers(*parsed, vector.at("rule_id"), vector.at("expected"));
        ++read;
    }
    MESSAGE("config.jsonl: " << read << " read alike, " << refused << " refused at load by promise");
    CHECK(read + refused == 20);
}
