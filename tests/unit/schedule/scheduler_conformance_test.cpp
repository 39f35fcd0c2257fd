// scheduler.jsonl: real multi-step runs of the reference. Its rules are played by a script (what each found is read from the rows it
// wrote); what is reproduced is everything the scheduler itself does: gating, monitor modes, log events, upserts, stale closes, rows and
// the keys it adds to evidence. tests/conformance/scheduler_runs.cpp does the same with the real rules and databases.
#include "run_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace varde;
using nlohmann::json;
using scripted::at;

namespace {

std::filesystem::path shared_folder() {
    if (const char* folder = std::getenv("VARDE_SHARED")) return folder;
    return std::filesystem::path{VARDE_SOURCE_DIR}.parent_path() / "shared";
}

/// Why a vector is not reproduced; empty if it is.
std::string reason_to_skip(const json& vector) {
    if (vector.at("baseline_model_status").is_null()) return "a missing table: migrations make it, and nothing runs without it";
    return "";
}

config::RulesConfig config_of(const json& raw) {
    json known{{"rules", raw.value("rules", json::object())}};
    for (const auto* key : {"scheduler", "defaults"}) {
        if (raw.contains(key) && raw.at(key).is_object()) known[key] = raw.at(key);
    }
    const auto parsed = config::parse_rules(known.dump(), "vector");
    const std::string problem = parsed ? "" : parsed.error().context;
    REQUIRE(problem == "");
    return *parsed;
}

core::Scope scope_of(const json& row) {
    return {row.value("org_id", "default"), row.value("home_id", "default"), row.value("subject_id", "default")};
}

void set_modes(scripted::RunFixture& f, const json& modes) {
    for (const auto& one : modes) {
        // The reference reads a word it does not know as ON; here the table refuses it.
        const auto mode = core::monitor_mode_from(one.at("mode").get<std::string>());
        if (!mode) continue;
        ports::MonitorModeRow row;
        row.scope = scope_of(one);
        row.monitor_key = one.at("monitor_key");
        row.room_id = one.value("room_id", ports::kWholeHome);
        row.mode = *mode;
        REQUIRE(f.modes.set(row));
    }
}

/// What the rule itself said: the evidence without what the engine added.
std::string own_evidence(json evidence) {
    for (const auto* key : {"evaluation_mode", "requires_baseline", "requires_profile", "evaluation_truth", "gating_reason",
                            "basis_summary", "uses_default_profile", "profile_mode", "baseline_ready", "days_with_data",
                            "coverage_room_bucket", "coverage_transition", "_monitor_mode"}) {
        evidence.erase(key);
    }
    return evidence.dump();
}

/// Makes the script answer as the reference's rules did in this step.
void script(scripted::RunFixture& f, const json& expected) {
    for (const auto& line : expected.at("log")) {
        if (!line.contains("rule_id")) continue;
        const auto rule = line.at("rule_id").get<std::string>();
        if (line.at("event") == "scheduler_rule_error") {
            f.evaluator.says(
                rule, scripted::failed(core::FailureReason::rule_error, line.at("error").at("message").get<std::string>()));
        } else if (line.at("event") == "scheduler_rule_result") {
            f.evaluator.says(rule, scripted::not_met());
            if (line.at("counts").at("deviations_upserted") == 0) continue;
            const auto& rows = expected.at("deviations");
            const auto row = std::find_if(rows.begin(), rows.end(), [&](const json& one) {
                return one.at("rule") == rule && one.at("last_seen_at") == line.at("ts");
            });
            REQUIRE(row != rows.end());
            auto verdict =
                scripted::met(static_cast<core::Severity>(row->at("severity").get<int>()), row->at("context").at("title"));
            verdict.findings[0].evidence = own_evidence(row->at("evidence"));
            f.evaluator.says(rule, std::move(verdict));
        }
    }
    // What the reference found in mode OFF is not in its rows; that it is dropped must not need a rule that says nothing.
    const auto modes = f.modes.list({}).value();
    for (const auto& row : modes) {
        f.evaluator.forget(row.monitor_key, row.scope);
        const bool off = row.mode == core::MonitorMode::off && row.room_id == ports::kWholeHome;
        if (off) f.evaluator.says(row.monitor_key, row.scope, scripted::met());
    }
}

void patch(scripted::RunFixture& f, const json& patches) {
    for (const auto& one : patches) {
        auto row = f.deviations.find(one.at("deviation_id")).value().value();
        const auto before = row.status;
        row.status = core::deviation_status_from(one.at("status").get<std::string>()).value();
        REQUIRE(f.deviations.update_if(row, before));
    }
}

json field_json(const std::variant<std::int64_t, double, bool, std::string, ports::Json>& value) {
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

/// Every key of the reference's line but the ones that a run cannot repeat.
void check_line(const fakes::LogSink::Entry& entry, const json& line) {
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
        if (key == "error") {
            CHECK(field_json(found->second).at("message") == value.at("message"));
        } else {
            CHECK(field_json(found->second) == value);
        }
    }
}

void check_rows(const std::vector<core::Deviation>& rows, const json& expected) {
    REQUIRE(rows.size() == expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        CHECK(row.deviation_id == expected[i].at("id"));
        CHECK(row.rule_id == expected[i].at("rule"));
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

void check_vector(const json& vector) {
    scripted::RunFixture f;
    for (const auto& row : vector.at("baseline_model_status")) {
        core::BaselineStatus status;
        status.scope = scope_of(row);
        status.ready = row.at("baseline_ready");
        status.days_with_data = row.at("days_with_data");
        // Not in the file, but the recording had them: rooms supported, ways not.
        status.room_bucket_rows = status.room_bucket_supported = 10;
        status.transition_rows = 4;
        status.transition_supported = 0;
        REQUIRE(f.baselines.save(status));
    }
    set_modes(f, vector.at("monitor_modes"));
    for (const auto& step : vector.at("steps")) {
        auto raw = vector.at("config");
        if (step.contains("config_override_rules")) raw["rules"].update(step.at("config_override_rules"), true);
        f.config = config_of(raw);
        patch(f, step.at("patch").is_null() ? json::array() : step.at("patch"));
        set_modes(f, step.at("modes"));
        const auto& expected = step.at("expected");
        script(f, expected);
        f.clock.set(at(step.at("now").get<std::string>()));
        const auto before = f.log.entries().size();
        f.rule_run.run(f.config, {"run", f.config.interval, {}});
        const auto entries = f.log.entries();
        const auto& lines = expected.at("log");
        REQUIRE(entries.size() - before == lines.size());
        for (std::size_t i = 0; i < lines.size(); ++i) check_line(entries[before + i], lines[i]);
        check_rows(f.deviations.rows(), expected.at("deviations"));
    }
}

}  // namespace

TEST_CASE("recorded scheduler runs of the reference are reproduced, line by line and row by row") {
    std::ifstream file{shared_folder() / "conformance/scheduler.jsonl"};
    if (!file) {
        MESSAGE("skipped: no conformance/scheduler.jsonl (set VARDE_SHARED)");
        return;
    }
    int reproduced = 0;
    std::string skipped;
    for (std::string line; std::getline(file, line);) {
        const auto vector = json::parse(line);
        const auto id = vector.at("vector_id").get<std::string>();
        if (const auto reason = reason_to_skip(vector); !reason.empty()) {
            skipped += " " + id + " (" + reason + ")";
            continue;
        }
        CAPTURE(id);
        check_vector(vector);
        ++reproduced;
    }
    MESSAGE("scheduler.jsonl: " << reproduced << " reproduced; skipped:" << skipped);
    CHECK(reproduced == 17);
}
