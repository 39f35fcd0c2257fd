// Runs over homes that rules.yaml gives settings of their own.
#include "run_fixture.hpp"

using namespace varde;
using core::MonitorMode;
using scripted::at;
using scripted::RunFixture;

namespace {

const core::Scope kFirst{"default", "first", "default"};
const core::Scope kSecond{"default", "second", "default"};

struct HomesFixture : RunFixture {
    config::HomeRules homes;

    explicit HomesFixture(const std::string& homes_text) {
        evaluator.known_scopes = {kFirst, kSecond};
        auto parsed = config::parse_rules("rules:\n  R-001: {enabled_in_scheduler: true}\n  R-002: {}\nhomes:\n" + homes_text,
                                          "rules.yaml");
        if (!parsed) FAIL(parsed.error().context);
        config = std::move(*parsed);
        homes = config::HomeRules::make(config, {}).value();
    }
    ports::RunSummary run_homes() { return rule_run.run(config, {"run-1", std::chrono::minutes{5}, {}, &homes}); }
    [[nodiscard]] std::vector<std::string> asked() const {
        std::vector<std::string> all;
        for (const auto& one : evaluator.asked()) all.push_back(one.rule_id + " " + one.scope.home_id);
        return all;
    }
};

}  // namespace

TEST_CASE("a rule runs in the homes where it is switched on, and is no part of the run in others") {
    HomesFixture f{"  - {home_id: first, rules: {R-001: {enabled_in_scheduler: false}, R-002: {enabled_in_scheduler: true}}}\n"};
    f.evaluator.says("R-001", scripted::met());
    f.evaluator.says("R-002", scripted::met());
    const auto summary = f.run_homes();
    CHECK(f.asked() == std::vector<std::string>{"R-002 first", "R-001 second"});
    CHECK(summary.counts.rules_total == 2);
    CHECK(summary.counts.rules_ok == 2);
    CHECK(f.deviations.rows().size() == 2);
}

TEST_CASE("that a rule is off in a home is on record") {
    HomesFixture f{"  - {home_id: first, rules: {R-001: {enabled_in_scheduler: false}}}\n"};
    f.run_homes();
    const auto decision = f.decisions.find("R-001", kFirst, f.clock.now());
    REQUIRE(decision);
    REQUIRE(*decision);
    CHECK((*decision)->outcome == core::DecisionOutcome::skipped);
    CHECK((*decision)->reason == "switched off for this home in rules.yaml");
}

TEST_CASE("a home's lookback and params are what its rule is asked with") {
    HomesFixture f{"  - {home_id: first, rules: {R-001: {lookback_minutes: 30, params: {most: 5}}}}\n"};
    f.run_homes();
    const auto asked = f.evaluator.asked();
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].window.since == at("2026-01-15T11:30:00Z"));
    CHECK(asked[0].variant == 1);
    CHECK(asked[1].window.since == at("2026-01-15T11:00:00Z"));
    CHECK(asked[1].variant == 0);
}

TEST_CASE("a home's deviation ends after the home's time") {
    HomesFixture f{"  - {home_id: first, rules: {R-001: {expire_after_minutes: 10}}}\n"};
    f.put("R-001", "2026-01-15T11:45:00Z", kFirst);
    f.put("R-001", "2026-01-15T11:45:00Z", kSecond);
    CHECK(f.run_homes().counts.deviations_closed == 1);
    for (const auto& row : f.deviations.rows()) CHECK((row.status == core::DeviationStatus::closed) == (row.scope == kFirst));
}

TEST_CASE("what is open where the rule was switched off ends as if the rule were disabled") {
    HomesFixture f{"  - {home_id: first, rules: {R-001: {enabled_in_scheduler: false, expire_after_minutes: 10}}}\n"};
    f.evaluator.says("R-001", scripted::met());
    f.put("R-001", "2026-01-15T11:45:00Z", kFirst);
    f.run_homes();
    const auto rows = f.deviations.rows();
    const auto row = std::ranges::find(rows, kFirst, &core::Deviation::scope);
    REQUIRE(row != rows.end());
    CHECK(row->status == core::DeviationStatus::closed);
    CHECK(row->close_reason == "rule_disabled");
}

TEST_CASE("a home's monitor mode counts until somebody sets another one") {
    HomesFixture f{"  - {home_id: first, monitor_mode: \"OFF\"}\n  - {home_id: second, monitor_mode: \"TEST\"}\n"};
    f.evaluator.says("R-001", scripted::met());
    f.run_homes();
    REQUIRE(f.deviations.rows().size() == 1);
    CHECK(f.deviations.rows().front().scope == kSecond);
    CHECK(f.deviations.rows().front().test_mode);
    f.modes.put("R-001", MonitorMode::on, kFirst);
    f.run_homes();
    CHECK(f.deviations.rows().size() == 2);
}
