// scheduler.jsonl: real multi-step runs of the reference. Its rules are played by a script (what each found is read from the rows it
// wrote); what is reproduced is everything the scheduler itself does: gating, monitor modes, log events, upserts, stale closes, rows and
// the keys it adds to evidence. tests/conformance/scheduler_runs.cpp does the same with the real rules and databases.
#include "conformance/scheduler_vectors.hpp"
#include "run_fixture.hpp"

#include <fstream>

using namespace varde;
using nlohmann::json;

namespace {

/// Why a vector is not reproduced; empty if it is.
std::string reason_to_skip(const json& vector) {
    if (vector.at("baseline_model_status").is_null()) return "a missing table: migrations make it, and nothing runs without it";
    return "";
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

void check_vector(const json& vector) {
    scripted::RunFixture f;
    for (const auto& row : vector.at("baseline_model_status")) REQUIRE(f.baselines.save(vectors::baseline_of(row)));
    vectors::set_modes(f.modes, vector.at("monitor_modes"));
    for (const auto& step : vector.at("steps")) {
        const auto parsed = config::parse_rules(vectors::config_text(vector, step), "vector");
        const std::string problem = parsed ? "" : parsed.error().context;
        REQUIRE(problem == "");
        f.config = *parsed;
        vectors::patch(f.deviations, step.at("patch"));
        vectors::set_modes(f.modes, step.at("modes"));
        const auto& expected = step.at("expected");
        script(f, expected);
        f.clock.set(vectors::at(step.at("now")));
        const auto before = static_cast<std::ptrdiff_t>(f.log.entries().size());
        f.rule_run.run(f.config, {"run", f.config.interval, {}});
        auto entries = f.log.entries();
        entries.erase(entries.begin(), entries.begin() + before);
        vectors::check_log(entries, expected.at("log"), vectors::Messages::same);
        vectors::check_rows(f.deviations.rows(), expected.at("deviations"));
    }
}

}  // namespace

TEST_CASE("recorded scheduler runs of the reference are reproduced, line by line and row by row") {
    std::ifstream file{vectors::file("scheduler.jsonl")};
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
