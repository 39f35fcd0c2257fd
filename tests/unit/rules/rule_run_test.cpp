#include "run_fixture.hpp"

using namespace varde;
using core::DeviationStatus;
using core::Severity;
using scripted::at;
using scripted::met;
using scripted::no_data;
using scripted::not_met;
using scripted::RunFixture;

TEST_CASE("every enabled rule is asked about every scope with data, over its own lookback, in id order") {
    RunFixture f{"R-002", "R-001"};
    f.config.rules["R-001"].lookback = std::chrono::minutes{180};
    f.config.rules["R-002"].lookback = std::chrono::minutes{240};
    f.config.rules["R-003"];
    f.evaluator.known_scopes = {{"b", "h", "s"}, {"a", "h", "s"}};
    const auto summary = f.run();
    const auto asked = f.evaluator.asked();
    REQUIRE(asked.size() == 4);
    CHECK(asked[0].scope.org_id == "a");
    CHECK(asked[0].rule_id == "R-001");
    CHECK(asked[0].window == core::Window{at("2026-01-15T09:00:00Z"), at("2026-01-15T12:00:00Z")});
    CHECK(asked[1].rule_id == "R-002");
    CHECK(asked[1].window.since == at("2026-01-15T08:00:00Z"));
    CHECK(asked[3].scope.org_id == "b");
    CHECK(asked[3].now == at("2026-01-15T12:00:00Z"));
    CHECK(summary.counts.rules_total == 4);
    CHECK(summary.counts.rules_ok == 4);
    CHECK(summary.scopes == 2);
    CHECK(summary.evaluations == 4);
}

TEST_CASE("a finding opens a deviation that starts now") {
    RunFixture f{"R-001"};
    f.config.default_subject_key = "beboer-1";
    f.evaluator.known_scopes = {{"org", "home", "ola"}};
    f.evaluator.says("R-001", met(Severity::high, "Ytterdør"));
    const auto summary = f.run();
    REQUIRE(f.deviations.rows().size() == 1);
    const auto row = f.deviations.rows().front();
    CHECK(row.rule_id == "R-001");
    CHECK(row.scope == core::Scope{"org", "home", "ola"});
    CHECK(row.subject_key == "beboer-1");
    CHECK(row.status == DeviationStatus::open);
    CHECK(row.finding.severity == Severity::high);
    CHECK(row.finding.title == "Ytterdør");
    CHECK(row.started_at == at("2026-01-15T12:00:00Z"));
    CHECK(row.last_seen_at == row.started_at);
    CHECK(row.episode == 1);
    CHECK(summary.counts.deviations_upserted == 1);
    CHECK(summary.error.empty());
}

TEST_CASE("a deviation that is seen again keeps its row, start and status") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", met(Severity::medium));
    f.run();
    auto row = f.deviations.rows().front();
    row.status = DeviationStatus::ack;
    REQUIRE(f.deviations.update_if(row, DeviationStatus::open));
    f.evaluator.says("R-001", met(Severity::high, "worse"));
    f.run_at("2026-01-15T12:05:00Z");
    REQUIRE(f.deviations.rows().size() == 1);
    row = f.deviations.rows().front();
    CHECK(row.status == DeviationStatus::ack);
    CHECK(row.started_at == at("2026-01-15T12:00:00Z"));
    CHECK(row.last_seen_at == at("2026-01-15T12:05:00Z"));
    CHECK(row.finding.severity == Severity::high);
    CHECK(row.finding.title == "worse");
}

TEST_CASE("a deviation that an operator closed is not reopened: the next finding starts a new episode") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", met());
    f.run();
    auto row = f.deviations.rows().front();
    row.status = DeviationStatus::closed;
    REQUIRE(f.deviations.update_if(row, DeviationStatus::open));
    f.run_at("2026-01-15T12:05:00Z");
    REQUIRE(f.deviations.rows().size() == 2);
    CHECK(f.deviations.rows()[0].status == DeviationStatus::closed);
    CHECK(f.deviations.rows()[1].status == DeviationStatus::open);
    CHECK(f.deviations.rows()[1].episode == 2);
}

TEST_CASE("of several findings of one rule the most severe is kept, the first of equals") {
    RunFixture f{"R-001"};
    auto several = met(Severity::low, "low");
    several.findings.push_back(scripted::finding(Severity::high, "first high"));
    several.findings.push_back(scripted::finding(Severity::high, "second high"));
    f.evaluator.says("R-001", several);
    CHECK(f.run().counts.deviations_upserted == 1);
    REQUIRE(f.deviations.rows().size() == 1);
    CHECK(f.deviations.rows().front().finding.title == "first high");
}

TEST_CASE("a deviation not seen for expire_after is kept, and closed as stale a microsecond later") {
    RunFixture f{"R-001"};
    f.config.rules["R-001"].expire_after = std::chrono::minutes{180};
    f.put("R-001", "2026-01-15T12:00:00Z");
    CHECK(f.run_at("2026-01-15T15:00:00Z").counts.deviations_closed == 0);
    CHECK(f.deviations.rows().front().status == DeviationStatus::open);
    const auto summary = f.run_at("2026-01-15T15:00:00.000001Z");
    CHECK(summary.counts.deviations_closed == 1);
    const auto row = f.deviations.rows().front();
    CHECK(row.status == DeviationStatus::closed);
    CHECK(row.close_reason == "stale");
    CHECK(row.closed_at == at("2026-01-15T15:00:00.000001Z"));
}

TEST_CASE("an acknowledged deviation goes stale like an open one") {
    RunFixture f{"R-001"};
    core::Deviation row;
    row.rule_id = "R-001";
    row.status = DeviationStatus::ack;
    row.last_seen_at = at("2026-01-15T10:00:00Z");
    f.deviations.put(row);
    f.run();
    CHECK(f.deviations.rows().front().status == DeviationStatus::closed);
}

TEST_CASE("no data, no opinion and a failure never close a deviation, however old it is") {
    const std::vector<core::Verdict> silent{no_data(), scripted::answered(core::Outcome::unknown),
                                            scripted::failed(core::FailureReason::deadline)};
    for (const auto& verdict : silent) {
        RunFixture f{"R-001"};
        f.put("R-001", "2025-01-01T00:00:00Z");
        f.evaluator.says("R-001", verdict);
        CHECK(f.run().counts.deviations_closed == 0);
        CHECK(f.deviations.rows().front().status == DeviationStatus::open);
        f.evaluator.says("R-001", not_met());
        CHECK(f.run().counts.deviations_closed == 1);
    }
}

TEST_CASE("one scope's answer does not touch another scope's deviation") {
    RunFixture f{"R-001"};
    const core::Scope a{"a", "h", "s"};
    const core::Scope b{"b", "h", "s"};
    f.evaluator.known_scopes = {a, b};
    f.put("R-001", "2026-01-15T00:00:00Z", a);
    f.put("R-001", "2026-01-15T00:00:00Z", b);
    f.evaluator.says("R-001", b, no_data());
    CHECK(f.run().counts.deviations_closed == 1);
    CHECK(f.deviations.rows()[0].status == DeviationStatus::closed);
    CHECK(f.deviations.rows()[1].status == DeviationStatus::open);
}

TEST_CASE("a deviation of a rule that is switched off or gone ends when its time is over, as rule_disabled") {
    RunFixture f{"R-001", "R-002"};
    f.config.default_expire_after = std::chrono::minutes{60};
    f.config.rules["R-001"].expire_after = std::chrono::minutes{180};
    f.config.rules["R-001"].enabled_in_scheduler = false;
    f.put("R-001", "2026-01-15T12:00:00Z");
    f.put("R-009", "2026-01-15T12:00:00Z");
    CHECK(f.run_at("2026-01-15T13:00:00Z").counts.deviations_closed == 0);
    CHECK(f.run_at("2026-01-15T13:00:01Z").counts.deviations_closed == 1);
    CHECK(f.deviations.rows()[1].close_reason == "rule_disabled");
    CHECK(f.deviations.rows()[0].status == DeviationStatus::open);
    CHECK(f.run_at("2026-01-15T15:00:01Z").counts.deviations_closed == 1);
    CHECK(f.deviations.rows()[0].close_reason == "rule_disabled");
}

TEST_CASE("a rule whose row in the database is switched off does not run") {
    RunFixture f{"R-001", "R-002"};
    f.run();
    auto row = f.rules.list().value().front();
    CHECK(row.rule_id == "R-001");
    row.is_enabled = false;
    REQUIRE(f.rules.update(row));
    const auto summary = f.run();
    CHECK(summary.counts.rules_total == 1);
    CHECK(f.evaluator.asked().back().rule_id == "R-002");
    CHECK(f.rule_run.switched_off() == std::set<std::string>{"R-001"});
}

TEST_CASE("rules of the file get a row in the database, once, also when they are off") {
    RunFixture f{"R-002"};
    f.config.rules["R-001"];
    f.run();
    f.run_at("2026-01-15T12:05:00Z");
    const auto rows = f.rules.list().value();
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].rule_id == "R-001");
    CHECK(rows[1].created_at == at("2026-01-15T12:00:00Z"));
}

TEST_CASE("without a scope with data nothing is asked and the run still ends well") {
    RunFixture f{"R-001"};
    f.evaluator.known_scopes.clear();
    const auto summary = f.run();
    CHECK(summary.counts.rules_total == 0);
    CHECK(summary.error.empty());
    CHECK(f.log.count("scheduler_run_end") == 1);
}

TEST_CASE("a scope whose events are all gone is still judged while it has an active deviation") {
    RunFixture f{"R-001"};
    const core::Scope gone{"gone", "h", "s"};
    f.evaluator.known_scopes.clear();
    f.put("R-001", "2026-01-15T00:00:00Z", gone);
    CHECK(f.run().counts.rules_total == 0);
    CHECK(f.run().counts.deviations_closed == 1);
    CHECK(f.run().counts.rules_total == 0);
}

TEST_CASE("a deviation under a former subject key goes stale") {
    RunFixture f{"R-001"};
    f.put("R-001", "2026-01-15T00:00:00Z");
    f.config.default_subject_key = "new";
    f.evaluator.says("R-001", met());
    f.run();
    REQUIRE(f.deviations.rows().size() == 2);
    CHECK(f.deviations.rows()[0].close_reason == "stale");
    CHECK(f.deviations.rows()[1].subject_key == "new");
}

TEST_CASE("a rule that is switched off or on is released, at the next run and once") {
    RunFixture f{"R-001", "R-002"};
    f.run();
    CHECK(f.evaluator.released().empty());  // it may have been quarantined before a restart
    f.config.rules["R-001"].enabled_in_scheduler = false;
    f.run();
    f.run();
    CHECK(f.evaluator.released() == std::vector<std::string>{"R-001"});
    f.enable("R-001");
    f.run();
    f.run();
    CHECK(f.evaluator.released() == std::vector<std::string>{"R-001", "R-001"});
    auto row = f.rules.list().value().back();
    REQUIRE(row.rule_id == "R-002");
    row.is_enabled = false;
    CHECK(f.rules.update(row).has_value());
    f.run();
    CHECK(f.evaluator.released().back() == "R-002");
}

TEST_CASE("a run that cannot read the switches releases nobody") {
    RunFixture f{"R-001"};
    f.run();
    f.rules.fail_with(core::Errc::database_unavailable);
    f.run();
    f.rules.fail_with(std::nullopt);
    f.run();
    CHECK(f.evaluator.released().empty());
}

TEST_CASE("a run of some rules leaves the rows of the others alone, however old, and what is known of their gates") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.says("R-001", not_met());
    f.evaluator.says("R-002", not_met());
    for (const auto* rule : {"R-001", "R-002", "R-009"}) f.put(rule, "2026-01-15T06:00:00Z");
    const auto row = [&](const std::string& rule) {
        const auto rows = f.deviations.rows();
        return *std::ranges::find(rows, rule, &core::Deviation::rule_id);
    };
    const auto summary = f.rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}, nullptr, {{"R-001"}, {}}});
    CHECK(f.evaluator.asked().size() == 1);
    CHECK(summary.counts.rules_total == 1);
    CHECK(row("R-001").status == DeviationStatus::closed);
    CHECK(row("R-002").status == DeviationStatus::open);
    CHECK(row("R-009").status == DeviationStatus::open);
    f.run();
    CHECK(row("R-002").close_reason == "stale");
    CHECK(row("R-009").close_reason == "rule_disabled");
}

TEST_CASE("a run without some rules leaves their rows alone; those of rules that are gone grow old") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.says("R-001", not_met());
    f.evaluator.says("R-002", not_met());
    for (const auto* rule : {"R-001", "R-002", "R-009"}) f.put(rule, "2026-01-15T06:00:00Z");
    const auto summary = f.rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}, nullptr, {{}, {"R-002"}}});
    CHECK(summary.counts.rules_total == 1);
    std::map<std::string, std::string> reasons;
    for (const auto& row : f.deviations.rows()) reasons[row.rule_id] = row.close_reason;
    CHECK(reasons == std::map<std::string, std::string>{{"R-001", "stale"}, {"R-002", ""}, {"R-009", "rule_disabled"}});
}

TEST_CASE("a run of a rule that is switched off asks nobody") {
    RunFixture f{"R-001"};
    f.config.rules["R-002"];
    CHECK(f.rule_run.run(f.config, {"run-1", std::chrono::minutes{5}, {}, nullptr, {{"R-002"}, {}}}).evaluations == 0);
    CHECK(f.evaluator.asked().empty());
}
