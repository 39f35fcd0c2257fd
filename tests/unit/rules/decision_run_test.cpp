// What runs leave behind in the records of decisions.
#include "refusing_deviations.hpp"
#include "run_fixture.hpp"

using namespace varde;
using core::DecisionOutcome;
using scripted::answered;
using scripted::at;
using scripted::failed;
using scripted::met;
using scripted::no_data;
using scripted::not_met;
using scripted::RunFixture;

namespace {

core::Completed because(core::Completed answer, std::string reason) {
    answer.reason = std::move(reason);
    return answer;
}
/// The record that the run at noon made of this answer.
core::Decision made_of(core::Verdict verdict) {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", std::move(verdict));
    f.run();
    REQUIRE(f.decisions.rows().size() == 1);
    return f.decisions.rows().front();
}

}  // namespace

TEST_CASE("a run leaves a record of every rule and scope, with its own words") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.known_scopes = {{"a", "h", "s"}, {"b", "h", "s"}};
    f.evaluator.says("R-001", {"b", "h", "s"}, because(met(), "180 minutes without motion"));
    f.run();
    const auto rows = f.decisions.rows();
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].scope.org_id == "a");
    CHECK(rows[0].rule_id == "R-001");
    CHECK(rows[0].outcome == DecisionOutcome::not_met);
    CHECK(rows[2].outcome == DecisionOutcome::met);
    CHECK(rows[2].reason == "180 minutes without motion");
    CHECK(rows[2].run_id == "run-1");
    CHECK(rows[2].first_at == at("2026-01-15T12:00:00Z"));
}

TEST_CASE("what a rule answers is what the record says") {
    CHECK(made_of(because(no_data(), "no event at all")).outcome == DecisionOutcome::no_data);
    CHECK(made_of(because(no_data(), "no event at all")).reason == "no event at all");
    CHECK(made_of(answered(core::Outcome::unknown)).outcome == DecisionOutcome::unknown);
    CHECK(made_of(met(core::Severity::high, "Ytterdør")).reason == "Ytterdør");
    CHECK(made_of(not_met()).reason.empty());
    CHECK(made_of(because(not_met(), std::string(2'000, 'x'))).reason.size() == 500);
}

TEST_CASE("a failure is an error with its reason; a rule that is out of service was skipped") {
    const auto error = made_of(failed(core::FailureReason::deadline, "2,000 ms were allowed"));
    CHECK(error.outcome == DecisionOutcome::error);
    CHECK(error.reason == "deadline: 2,000 ms were allowed");
    const auto skipped = made_of(failed(core::FailureReason::quarantined, "until 13:00"));
    CHECK(skipped.outcome == DecisionOutcome::skipped);
    CHECK(skipped.reason == "quarantined: until 13:00");
}

TEST_CASE("a rule that is not asked about a home is gated there, with the days that decided") {
    RunFixture f{"R-001"};
    f.config.rules["R-001"].evaluation_mode = "baseline_dependent";
    core::BaselineStatus known;
    known.ready = false;
    known.days_with_data = 2;
    REQUIRE(f.baselines.save(known));
    f.run();
    REQUIRE(f.decisions.rows().size() == 1);
    CHECK(f.decisions.rows()[0].outcome == DecisionOutcome::gated);
    CHECK(f.decisions.rows()[0].reason == "baseline_not_ready: 2 days with data");
    known.ready = true;
    known.days_with_data = 9;
    REQUIRE(f.baselines.save(known));
    f.run_at("2026-01-15T12:05:00Z");
    REQUIRE(f.decisions.rows().size() == 2);
    CHECK(f.decisions.rows()[1].outcome == DecisionOutcome::not_met);
}

TEST_CASE("what is found where the mode is OFF was met, and the record says that it was dropped") {
    RunFixture f{"R-001"};
    f.modes.put("R-001", core::MonitorMode::off);
    f.evaluator.says("R-001", because(met(), "a door was open"));
    f.run();
    CHECK(f.deviations.rows().empty());
    CHECK(f.decisions.rows().at(0).outcome == DecisionOutcome::met);
    CHECK(f.decisions.rows().at(0).reason == "dropped, its mode is OFF: a door was open");
}

TEST_CASE("a run that is lost leaves no record, and the next one counts as if it had not been") {
    RunFixture f{"R-001"};
    f.run();
    int asked = 0;
    f.clock.set(at("2026-01-15T12:05:00Z"));
    f.evaluator.says("R-001", met());
    CHECK_FALSE(f.run([&] { return ++asked > 2; }).error.empty());
    CHECK(f.decisions.rows().size() == 1);
    f.evaluator.says("R-001", not_met());
    f.run_at("2026-01-15T12:10:00Z");
    REQUIRE(f.decisions.rows().size() == 1);
    CHECK(f.decisions.rows()[0].runs == 2);
}

TEST_CASE("unchanged decisions cost a run nothing between two flushes") {
    RunFixture f{"R-001", "R-002"};
    f.run();
    CHECK(f.decisions.writes() == 2);
    for (const auto* now : {"2026-01-15T12:01:00Z", "2026-01-15T12:02:00Z", "2026-01-15T12:04:59Z"}) f.run_at(now);
    CHECK(f.decisions.writes() == 2);
    f.run_at("2026-01-15T12:05:00Z");
    CHECK(f.decisions.writes() == 4);
    CHECK(f.decisions.rows()[0].runs == 5);
}

TEST_CASE("the end of the host writes how far the records have come, and the next host goes on") {
    RunFixture f{"R-001"};
    f.run();
    f.run_at("2026-01-15T12:01:00Z");
    CHECK(f.decisions.rows().at(0).runs == 1);
    f.rule_run.finish();
    CHECK(f.decisions.rows().at(0).runs == 2);
    f.rule_run.finish();
    CHECK(f.decisions.writes() == 2);
    rules::RuleRun after_restart{f.ports()};
    f.clock.set(at("2026-01-15T12:02:00Z"));
    after_restart.run(f.config, {"run-2", std::chrono::minutes{1}, {}});
    REQUIRE(f.decisions.rows().size() == 1);
    CHECK(f.decisions.rows()[0].runs == 3);
    CHECK(f.decisions.rows()[0].run_id == "run-2");
}

TEST_CASE("what cannot be written at the end is said in the log, once") {
    RunFixture f{"R-001"};
    f.run();
    f.run_at("2026-01-15T12:01:00Z");
    f.deviations.fail_with(core::Errc::database_unavailable);
    f.rule_run.finish();
    CHECK(f.log.count("decisions_not_written") == 1);
}

TEST_CASE("old records go, changes later than others") {
    RunFixture f{"R-001"};
    core::Decision old;
    old.rule_id = "R-009";
    old.first_at = old.since = at("2025-01-15T11:59:00Z");  // 365 days and a minute
    auto change = old;
    change.first_at = change.since = at("2025-06-01T00:00:00Z");
    auto same = old;
    same.first_at = at("2025-12-31T00:00:00Z");  // 15 days
    f.decisions.put(std::vector{old, change, same});
    f.run();
    const auto rows = f.decisions.rows();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].first_at == change.first_at);
    CHECK(rows[1].rule_id == "R-001");
}

TEST_CASE("records that cannot be read end the run; those that cannot be deleted do not") {
    RunFixture f{"R-001"};
    f.decisions.fail_with(core::Errc::database_unavailable);
    CHECK_FALSE(f.run().error.empty());
    CHECK(f.evaluator.asked().empty());
    f.decisions.fail_with(std::nullopt);
    CHECK(f.run().error.empty());
    f.decisions.fail_with(core::Errc::database_failed);
    CHECK(f.run_at("2026-01-15T12:05:00Z").error.empty());
    CHECK(f.log.count("decisions_not_pruned") == 1);
}

TEST_CASE("switched off, or without a place, no decision is kept") {
    RunFixture f{"R-001"};
    auto off = f.ports();
    off.keep_decisions.enabled = false;
    auto nowhere = f.ports();
    nowhere.decisions = nullptr;
    for (const auto& ports : {off, nowhere}) {
        rules::RuleRun run{ports};
        CHECK(run.run(f.config, {"run-1", std::chrono::minutes{5}, {}}).error.empty());
        run.finish();
    }
    CHECK(f.decisions.writes() == 0);
}

TEST_CASE("an answer that cannot be stored is an error in the record") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", because(met(), "found"));
    scripted::RefusingDeviations refusing{f.deviations, "R-001", core::Errc::conflict};
    rules::RuleRun run{{f.evaluator, refusing, f.rules, f.baselines, f.modes, f.clock, f.log, &f.decisions, {}}};
    run.run(f.config, {"run-1", std::chrono::minutes{5}, {}});
    REQUIRE(f.decisions.rows().size() == 1);
    CHECK(f.decisions.rows()[0].outcome == DecisionOutcome::error);
    CHECK(f.decisions.rows()[0].reason == "its answer could not be stored: insert of a deviation of R-001");
}
