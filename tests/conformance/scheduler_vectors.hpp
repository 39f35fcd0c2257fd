#pragma once
#include "config/settings.hpp"
#include "core/baseline.hpp"
#include "core/deviation.hpp"
#include "fakes/log_sink.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/monitor_mode_repository.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// scheduler.jsonl: how its parts are read, and what is compared. For the runs with scripted rules (tests/unit/rules) and for those
/// with real ones and databases (tests/conformance).
namespace varde::vectors {

using nlohmann::json;

inline std::filesystem::path file(const char* name) {
    const char* shared = std::getenv("VARDE_SHARED");
    const auto folder = shared ? std::filesystem::path{shared} : std::filesystem::path{VARDE_SOURCE_DIR}.parent_path() / "shared";
    return folder / "conformance" / name;
}

inline core::Instant at(const json& text) { return time::parse_utc(text.get<std::string>()).value(); }

/// The sections of the vector's configuration that rules.yaml has, as YAML.
inline std::string config_text(const json& vector, const json& step) {
    auto raw = vector.at("config");
    if (step.contains("config_override_rules")) raw["rules"].update(step.at("config_override_rules"), true);
    json known{{"rules", raw.value("rules", json::object())}};
    for (const auto* key : {"scheduler", "defaults"}) {
        if (raw.contains(key) && raw.at(key).is_object()) known[key] = raw.at(key);
    }
    return known.dump();
}

inline core::Scope scope_of(const json& row) {
    return {row.value("org_id", "default"), row.value("home_id", "default"), row.value("subject_id", "default")};
}

inline core::BaselineStatus baseline_of(const json& row) {
    core::BaselineStatus status;
    status.scope = scope_of(row);
    status.ready = row.at("baseline_ready");
    status.days_with_data = row.at("days_with_data");
    status.computed_at = at(row.at("computed_at"));
    // Not in the file, but the recording had them: rooms supported, ways not.
    status.room_bucket_rows = status.room_bucket_supported = 10;
    status.transition_rows = 4;
    status.transition_supported = 0;
    return status;
}

/// The reference reads a word that is no mode as ON; here the table refuses it, and it is left out.
inline void set_modes(ports::MonitorModeRepository& modes, const json& list) {
    for (const auto& one : list) {
        const auto mode = core::monitor_mode_from(one.at("mode").get<std::string>());
        if (!mode) continue;
        ports::MonitorModeRow row;
        row.scope = scope_of(one);
        row.monitor_key = one.at("monitor_key");
        row.room_id = one.value("room_id", ports::kWholeHome);
        row.mode = *mode;
        REQUIRE(modes.set(row));
    }
}

/// What operators did, in the reference without asking whether the step is allowed.
inline void patch(ports::DeviationRepository& deviations, const json& patches) {
    if (patches.is_null()) return;
    for (const auto& one : patches) {
        auto row = deviations.find(one.at("deviation_id")).value().value();
        const auto before = row.status;
        row.status = core::deviation_status_from(one.at("status").get<std::string>()).value();
        REQUIRE(deviations.update_if(row, before));
    }
}

inline json field_json(const std::variant<std::int64_t, double, bool, std::string, ports::Json>& value) {
    return std::visit(
        [](const auto& inner) -> json {
            if constexpr (std::is_same_v<std::decay_t<decltype(inner)>, ports::Json>) {
                return json::parse(inner.text);
            } else {
                return inner;
            }
        },
        value);
}

enum class Messages { same, ours };  ///< of rules that fail: the reference's own, or Varde's

/// Every key of the reference's line but the ones that a run cannot repeat.
inline void check_line(const fakes::LogSink::Entry& entry, const json& line, Messages messages) {
    CHECK(entry.event == line.at("event"));
    CHECK(entry.component == line.at("component"));
    CHECK(entry.message == line.at("msg"));
    CHECK((entry.level == ports::LogLevel::error ? "ERROR" : "INFO") == line.at("level"));
    for (const auto& [key, value] : line.items()) {
        if (key == "ts" || key == "level" || key == "component" || key == "event" || key == "run_id" || key == "msg") continue;
        CAPTURE(key);
        const auto found = entry.fields.find(key);
        REQUIRE(found != entry.fields.end());
        if (key == "duration_ms") continue;
        if (key != "error") {
            CHECK(field_json(found->second) == value);
        } else if (messages == Messages::same) {
            CHECK(field_json(found->second).at("message") == value.at("message"));
        }
    }
}

inline void check_log(const std::vector<fakes::LogSink::Entry>& entries, const json& lines, Messages messages) {
    REQUIRE(entries.size() == lines.size());
    for (std::size_t i = 0; i < entries.size(); ++i) check_line(entries[i], lines[i], messages);
}

/// In the order of ids.
inline void check_rows(const std::vector<core::Deviation>& rows, const json& expected) {
    REQUIRE(rows.size() == expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        CHECK(row.deviation_id == expected[i].at("id"));
        CHECK(row.rule_id == expected[i].at("rule"));
        CHECK(row.scope == scope_of(expected[i]));
        CHECK(core::name_of(row.status) == expected[i].at("status").get<std::string>());
        CHECK(static_cast<int>(row.finding.severity) == expected[i].at("severity"));
        CHECK(time::format_utc(row.started_at) == expected[i].at("started_at"));
        CHECK(time::format_utc(row.last_seen_at) == expected[i].at("last_seen_at"));
        CHECK(row.subject_key == expected[i].at("subject_key"));
        CHECK(row.finding.title == expected[i].at("context").at("title"));
        CHECK(json::parse(row.finding.evidence) == expected[i].at("evidence"));
        CHECK(row.test_mode == expected[i].at("evidence").contains("_monitor_mode"));
    }
}

}  // namespace varde::vectors
