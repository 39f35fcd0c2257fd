// scheduler.jsonl: real multi-step runs of the reference. Its rules are played by a script (what each found is read from the rows it
// wrote); what is reproduced is everything the scheduler itself does: log events, upserts, stale closes, rows. Not here: monitor modes,
// and the evidence keys that gating adds (another issue).
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
    if (!vector.at("monitor_modes").is_null() && !vector.at("monitor_modes").empty()) return "monitor modes";
    for (const auto& step : vector.at("steps")) {
        if (!step.at("modes").is_null() && !step.at("modes").empty()) return "monitor modes";
    }
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
            const auto& context = row->at("context");
            f.evaluator.says(rule,
                             scripted::met(static_cast<core::Severity>(row->at("severity").get<int>()), context.at("title")));
        }
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
    }
}

void check_vector(const json& vector) {
    scripted::RunFixture f;
    for (const auto& step : vector.at("steps")) {
        auto raw = vector.at("config");
        if (step.contains("config_override_rules")) raw["rules"].update(step.at("config_override_rules"), true);
        f.config = config_of(raw);
        patch(f, step.at("patch").is_null() ? json::array() : step.at("patch"));
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
    CHECK(reproduced == 14);
}
