#include "refusing_deviations.hpp"
#include "run_fixture.hpp"

using namespace varde;
using core::Errc;
using scripted::json_field;
using scripted::met;
using scripted::RefusingDeviations;
using scripted::RunFixture;

TEST_CASE("a failed rule is logged and counted once and the others go on") {
    RunFixture f{"R-001", "R-002", "R-003"};
    f.evaluator.says("R-001", met());
    auto crash = scripted::failed(core::FailureReason::segmentation_fault, "the rule read address 0");
    crash.signal = 11;
    crash.duration = std::chrono::milliseconds{7};
    f.evaluator.says("R-002", crash);
    f.evaluator.says("R-003", met());
    const auto summary = f.run();
    CHECK(summary.counts.rules_total == 3);
    CHECK(summary.counts.rules_ok == 2);
    CHECK(summary.counts.rules_failed == 1);
    CHECK(summary.counts.deviations_upserted == 2);
    CHECK(f.rule_log() == std::vector<std::string>{"rule_start R-001", "rule_result R-001", "rule_start R-002",
                                                   "rule_error R-002", "rule_start R-003", "rule_result R-003"});
    const auto entry = f.last_of("scheduler_rule_error");
    CHECK(entry.level == ports::LogLevel::error);
    CHECK(entry.run_id == "run-1");
    CHECK(entry.message == "rule evaluation failed");
    CHECK(std::get<std::string>(entry.fields.at("subject_key")) == "default");
    CHECK(std::get<std::int64_t>(entry.fields.at("duration_ms")) == 7);
    CHECK(json_field(entry, "scope") == nlohmann::json{{"org_id", "default"}, {"home_id", "default"}, {"subject_id", "default"}});
    CHECK(json_field(entry, "error") == nlohmann::json{{"type", "rule_failed"},
                                                       {"message", "the rule read address 0"},
                                                       {"reason", "segmentation_fault"},
                                                       {"phase", "evaluate"},
                                                       {"signal", 11}});
}

TEST_CASE("a write that fails is undone for its rule alone and counts as that rule's failure") {
    RunFixture f{"R-001", "R-002", "R-003"};
    for (const auto* id : {"R-001", "R-002", "R-003"}) f.evaluator.says(id, met());
    RefusingDeviations refusing{f.deviations, "R-002", Errc::database_failed};
    rules::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.error.empty());
    CHECK(summary.counts.rules_ok == 2);
    CHECK(summary.counts.rules_failed == 1);
    CHECK(summary.counts.deviations_upserted == 2);
    REQUIRE(f.deviations.rows().size() == 2);
    CHECK(f.deviations.rows()[0].rule_id == "R-001");
    CHECK(f.deviations.rows()[1].rule_id == "R-003");
    CHECK(json_field(f.last_of("scheduler_rule_error"), "error").at("reason") == "database_failed");
}

TEST_CASE("a stale close that fails is undone alone; the others are closed") {
    RunFixture f{"R-001", "R-002"};
    f.put("R-001", "2026-01-15T00:00:00Z");
    f.put("R-002", "2026-01-15T00:00:00Z");
    RefusingDeviations refusing{f.deviations, "R-001", Errc::database_failed};
    rules::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.counts.deviations_closed == 1);
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    CHECK(f.deviations.rows()[1].status == core::DeviationStatus::closed);
    CHECK(f.log.count("scheduler_rule_error") == 1);
}

TEST_CASE("a database that goes away in the middle loses the run, not half of it") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.says("R-001", met());
    f.evaluator.says("R-002", met());
    RefusingDeviations refusing{f.deviations, "R-002", Errc::database_unavailable};
    rules::RuleRun rule_run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log}};
    const auto summary = rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    CHECK(summary.error == "insert of a deviation of R-002");
    CHECK(summary.counts.deviations_upserted == 0);
    CHECK(f.deviations.rows().empty());
}

TEST_CASE("an unreachable database ends the run with an error event, and the next run works again") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", met());
    f.deviations.fail_with(Errc::database_unavailable);
    CHECK(f.run().error == "fake deviations: rule_states");
    const auto entry = f.last_of("scheduler_run_end");
    CHECK(entry.level == ports::LogLevel::error);
    CHECK(entry.message == "scheduler run failed");
    CHECK(json_field(entry, "error") == nlohmann::json{{"type", "database_unavailable"},
                                                       {"message", "fake deviations: rule_states"},
                                                       {"reason", "database_unavailable"}});
    CHECK(entry.fields.count("counts") == 0);
    f.deviations.fail_with(std::nullopt);
    CHECK(f.run().error.empty());
    CHECK(f.deviations.rows().size() == 1);
}

TEST_CASE("events or rule rows that cannot be read end the run before anything is judged") {
    RunFixture f{"R-001"};
    f.evaluator.cannot_read(Errc::database_unavailable);
    CHECK(f.run().error == "scripted: catch_up");
    f.evaluator.cannot_read(std::nullopt);
    f.rules.fail_with(Errc::database_failed);
    CHECK(f.run().error == "fake rules: list");
    CHECK(f.evaluator.asked().empty());
}

TEST_CASE("a clock that was never set ends the run with an error instead of closing everything") {
    RunFixture f{"R-001"};
    f.put("R-001", "2026-01-15T11:00:00Z");
    const auto summary = f.run_at("1970-01-01T00:05:00Z");
    CHECK(summary.error.find("set the clock") != std::string::npos);
    CHECK(json_field(f.last_of("scheduler_run_end"), "error").at("type") == "invalid_argument");
    CHECK(f.deviations.rows().front().status == core::DeviationStatus::open);
}

TEST_CASE("an abandoned run writes nothing, whenever it notices") {
    for (int asked_before = 0; asked_before < 3; ++asked_before) {
        RunFixture f{"R-001"};
        f.evaluator.says("R-001", met());
        int asked = 0;
        const auto summary = f.run([&] { return asked++ >= asked_before; });
        CHECK(summary.error == "the run was abandoned: the host is going down");
        CHECK(f.deviations.rows().empty());
        CHECK(json_field(f.last_of("scheduler_run_end"), "error").at("type") == "stopping");
    }
}
