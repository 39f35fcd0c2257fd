// Runs in which not every rule may be asked, or not everything is kept.
#include "run_fixture.hpp"

using namespace varde;
using core::MonitorMode;
using nlohmann::json;
using scripted::at;
using scripted::RunFixture;

namespace {

const core::Scope kOther{"default", "other-home", "default"};

config::RuleSettings& require_baseline(RunFixture& f, const char* id, std::optional<int> min_days = {}) {
    auto& rule = f.enable(id);
    rule.evaluation_mode = "baseline_dependent";
    rule.min_days_with_data = min_days;
    return rule;
}

std::vector<std::string> asked_rules(const RunFixture& f) {
    std::vector<std::string> rules;
    for (const auto& one : f.evaluator.asked()) rules.push_back(one.rule_id + " " + one.scope.home_id);
    return rules;
}

std::string text(const fakes::LogSink::Entry& entry, const char* key) {
    const auto found = entry.fields.find(key);
    return found == entry.fields.end() ? "" : std::get<std::string>(found->second);
}

}  // namespace

TEST_CASE("a rule is not asked about a home of which too little is known, and the log says why") {
    RunFixture f{"R-002"};
    require_baseline(f, "R-001");
    f.evaluator.says("R-001", scripted::met());
    const auto summary = f.run();
    CHECK(asked_rules(f) == std::vector<std::string>{"R-002 default"});
    CHECK(f.deviations.rows().empty());
    CHECK(summary.counts.rules_ok == 2);
    CHECK(summary.counts.rules_gated == 1);
    fakes::LogSink::Entry gated;
    for (const auto& entry : f.log.entries()) {
        if (entry.event == "scheduler_rule_result" && text(entry, "rule_id") == "R-001") gated = entry;
    }
    CHECK(text(gated, "outcome") == "gated");
    CHECK(text(gated, "evaluation_truth") == "NOT_EVALUATED");
    CHECK(text(gated, "gating_reason") == "baseline_status_missing");
    CHECK(scripted::json_field(gated, "counts") == json{{"evaluated", 1}, {"deviations_upserted", 0}, {"deviations_closed", 0}});
    CHECK(std::get<std::int64_t>(f.last_of("scheduler_run_end").fields.at("rules_gated")) == 1);
}

TEST_CASE("each home is gated by its own baseline") {
    RunFixture f;
    require_baseline(f, "R-001", 3);
    f.evaluator.known_scopes = {{}, kOther};
    f.baselines.put({}, true, 2);
    f.baselines.put(kOther, true, 3);
    f.run();
    CHECK(asked_rules(f) == std::vector<std::string>{"R-001 other-home"});
}

TEST_CASE("in a run over many homes what is gated is told when it begins and when it ends, in between at DEBUG") {
    RunFixture f;
    require_baseline(f, "R-001");
    f.evaluator.known_scopes = {{}, kOther};
    f.baselines.put(kOther, true);
    const auto told = [&](std::string_view now) {
        const auto before = f.log.entries().size();
        f.run_at(now);
        std::vector<std::string> lines;
        const auto entries = f.log.entries();
        for (auto i = before; i < entries.size(); ++i) {
            const bool result = entries[i].event == "scheduler_rule_result";
            if (result && entries[i].level == ports::LogLevel::info) lines.push_back(text(entries[i], "outcome"));
        }
        return lines;
    };
    CHECK(told("2026-01-15T12:00:00Z") == std::vector<std::string>{"gated"});
    CHECK(told("2026-01-15T12:05:00Z").empty());
    f.baselines.put({}, true);
    CHECK(told("2026-01-15T12:10:00Z") == std::vector<std::string>{"not_met"});
    CHECK(told("2026-01-15T12:15:00Z").empty());
}

TEST_CASE("a gated rule neither refreshes nor closes its deviation before its time; then it ends, and says why") {
    RunFixture f;
    require_baseline(f, "R-001");
    f.put("R-001", "2026-01-15T11:30:00Z");
    f.run_at("2026-01-15T12:30:00Z");  // expire_after is 60 minutes
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    CHECK(f.deviations.rows()[0].last_seen_at == at("2026-01-15T11:30:00Z"));
    f.run_at("2026-01-15T12:30:01Z");
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::closed);
    CHECK(f.deviations.rows()[0].close_reason == "gated");
}

TEST_CASE("no data is not gated: the rule was asked, and its deviation stays") {
    RunFixture f;
    require_baseline(f, "R-001");
    f.baselines.put({}, true);
    f.put("R-001", "2026-01-15T08:00:00Z");
    f.evaluator.says("R-001", scripted::no_data());
    CHECK(f.run().counts.rules_gated == 0);
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    CHECK(text(f.last_of("scheduler_rule_result"), "outcome") == "no_data");
}

TEST_CASE("evidence says on which basis a rule was asked") {
    RunFixture f;
    auto& rule = require_baseline(f, "R-001", 3);
    rule.requires_profile = true;
    rule.profile_mode = "default_window";
    rule.uses_default_profile_when_missing = true;
    f.baselines.put({}, true, 5);
    f.evaluator.says("R-001", scripted::met());
    f.run();
    CHECK(json::parse(f.deviations.rows()[0].finding.evidence) ==
          json{{"event_ids", json::array()},
               {"evaluation_mode", "baseline_dependent"},
               {"requires_baseline", true},
               {"requires_profile", true},
               {"evaluation_truth", "DEFAULT_PROFILE"},
               {"gating_reason", "default_profile_window"},
               {"basis_summary", "Bruker standard nattvindu, ikke personlig boligprofil"},
               {"uses_default_profile", true},
               {"profile_mode", "default_window"},
               {"baseline_ready", true},
               {"days_with_data", 5}});
}

TEST_CASE("OFF drops what is found in that home only; the rule is asked and the log says so") {
    RunFixture f{"R-001"};
    f.evaluator.known_scopes = {{}, kOther};
    f.evaluator.says("R-001", scripted::met());
    f.modes.put("R-001", MonitorMode::off);
    CHECK(f.run().counts.deviations_upserted == 1);
    CHECK(asked_rules(f).size() == 2);
    REQUIRE(f.deviations.rows().size() == 1);
    CHECK(f.deviations.rows()[0].scope == kOther);
    const auto entries = f.log.entries();
    CHECK(std::ranges::count_if(entries, [](const auto& entry) {
              return text(entry, "monitor_mode") == "OFF" && text(entry, "outcome") == "met" &&
                     entry.level == ports::LogLevel::info;
          }) == 1);
}

TEST_CASE("what was open when a rule was set OFF ends at its time, also if the rule has no data") {
    RunFixture f{"R-001"};
    f.modes.put("R-001", MonitorMode::off);
    f.put("R-001", "2026-01-15T11:00:00Z");
    f.evaluator.says("R-001", scripted::no_data());
    f.run_at("2026-01-15T12:00:00Z");
    CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    f.run_at("2026-01-15T12:00:01Z");
    CHECK(f.deviations.rows()[0].close_reason == "monitor_off");
}

TEST_CASE("TEST marks what is kept, and ON takes the mark away at the next sight") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", scripted::met());
    f.modes.put("R-001", MonitorMode::test);
    f.run();
    CHECK(f.deviations.rows()[0].test_mode);
    CHECK(json::parse(f.deviations.rows()[0].finding.evidence)["_monitor_mode"] == "TEST");
    f.modes.put("R-001", MonitorMode::on);
    f.run_at("2026-01-15T12:05:00Z");
    REQUIRE(f.deviations.rows().size() == 1);
    CHECK_FALSE(f.deviations.rows()[0].test_mode);
    CHECK_FALSE(json::parse(f.deviations.rows()[0].finding.evidence).contains("_monitor_mode"));
}

TEST_CASE("without the database nobody knows what may be asked: the run is given up and nothing is closed") {
    for (const bool modes : {false, true}) {
        RunFixture f{"R-001"};
        f.put("R-001", "2026-01-15T08:00:00Z");
        modes ? f.modes.fail_with(core::Errc::database_unavailable) : f.baselines.fail_with(core::Errc::database_unavailable);
        CHECK(f.run().error == (modes ? "fake monitor modes: in_force" : "fake baselines: list"));
        CHECK(f.evaluator.asked().empty());
        CHECK(f.deviations.rows()[0].status == core::DeviationStatus::open);
    }
}
