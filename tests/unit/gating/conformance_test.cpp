// gating.jsonl: what the reference's build_rule_truth answers for 99 pairs of a rule's configuration and a home's row. Each line is checked
// twice: every key of the truth, and whether the rule is asked. The reference reads raw values by Python's rules and Varde refuses most
// odd ones when the file is loaded, so that reading stands here.
#include "gating/rule_truth.hpp"
#include "gating/truth_text.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;

namespace {

std::filesystem::path shared_folder() {
    if (const char* folder = std::getenv("VARDE_SHARED")) return folder;
    return std::filesystem::path{VARDE_SOURCE_DIR}.parent_path() / "shared";
}

/// Python's bool(value).
bool truthy(const json& value) {
    if (value.is_null()) return false;
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value.get<double>() != 0;
    return !value.empty() && value != "";
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<bool> flag(const json& raw, const char* key) {
    return raw.contains(key) ? std::optional{truthy(raw.at(key))} : std::nullopt;
}

/// Python's str(value).strip().isdigit().
std::optional<int> days(const json& raw) {
    if (!raw.contains("min_days_with_data")) return std::nullopt;
    const auto& value = raw.at("min_days_with_data");
    const auto text = value.is_string() ? trimmed(value.get<std::string>()) : value.is_number() ? value.dump() : "";
    const bool digits = !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
    return digits ? std::optional{std::stoi(text)} : std::nullopt;
}

config::RuleSettings rule_of(const json& raw) {
    config::RuleSettings rule;
    if (raw.contains("evaluation_mode") && raw.at("evaluation_mode").is_string()) {
        auto mode = trimmed(raw.at("evaluation_mode").get<std::string>());
        std::ranges::transform(mode, mode.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (mode == "baseline_dependent" || mode == "profile_dependent") rule.evaluation_mode = mode;
    }
    rule.requires_baseline = flag(raw, "requires_baseline");
    rule.requires_profile = flag(raw, "requires_profile");
    rule.min_days_with_data = days(raw);
    if (raw.contains("profile_mode")) {
        rule.profile_mode = raw.at("profile_mode").is_null() ? "None" : raw.at("profile_mode").get<std::string>();
    }
    rule.uses_default_profile_when_missing = flag(raw, "uses_default_profile_when_missing").value_or(false);
    return rule;
}

std::optional<std::int64_t> rows(const json& value) {
    return value.is_number_integer() ? std::optional{value.get<std::int64_t>()} : std::nullopt;
}

/// A boolean says all of them or none; a real is cut off.
std::optional<std::int64_t> supported(const json& value, const json& of) {
    if (value.is_boolean()) return value.get<bool>() ? rows(of) : 0;
    if (value.is_number_float()) return static_cast<std::int64_t>(value.get<double>());
    return rows(value);
}

std::optional<core::BaselineStatus> status_of(const json& vector) {
    const auto& row = vector.at("baseline_row");
    if (row.is_null() || vector.at("baseline_query_fails") == true) return std::nullopt;
    core::BaselineStatus status;
    status.ready = truthy(row.at("baseline_ready"));
    status.days_with_data = rows(row.at("days_with_data")).value_or(0);
    status.room_bucket_rows = rows(row.at("room_bucket_rows"));
    status.room_bucket_supported = supported(row.at("room_bucket_supported"), row.at("room_bucket_rows"));
    status.transition_rows = rows(row.at("transition_rows"));
    status.transition_supported = supported(row.at("transition_supported"), row.at("transition_rows"));
    return status;
}

}  // namespace

TEST_CASE("the reference's truths are reproduced, key by key, and so is whether the rule is asked") {
    std::ifstream file{shared_folder() / "conformance/gating.jsonl"};
    if (!file) {
        MESSAGE("skipped: no conformance/gating.jsonl (set VARDE_SHARED)");
        return;
    }
    int lines = 0;
    int results = 0;
    for (std::string line; std::getline(file, line); ++lines) {
        const auto vector = json::parse(line);
        CAPTURE(vector.at("vector_id").get<std::string>());
        const auto& expected = vector.at("expected");
        const auto status = status_of(vector);
        const auto truth = gating::truth_of(rule_of(vector.at("rule_config")), status ? &*status : nullptr);
        CHECK(json::parse(gating::truth_json(truth)) == expected);
        const auto& name = expected.at("evaluation_truth");
        CHECK(truth.asks() == (name == "FULLY_EVALUATED" || name == "DEFAULT_PROFILE"));
        results += 2;
    }
    MESSAGE("gating.jsonl: " << lines << " lines, " << results << " results");
    CHECK(lines == 99);
}
