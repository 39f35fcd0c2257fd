#include "run_fixture.hpp"

using namespace varde;
using ports::LogLevel;
using scripted::json_field;
using scripted::RunFixture;

TEST_CASE("a run over one scope logs its start, every rule and its end at INFO") {
    RunFixture f{"R-001"};
    auto slow = scripted::not_met();
    slow.duration = std::chrono::microseconds{2500};
    f.evaluator.says("R-001", slow);
    f.run();
    const auto entries = f.log.entries();
    REQUIRE(entries.size() == 4);
    for (const auto& entry : entries) {
        CHECK(entry.level == LogLevel::info);
        CHECK(entry.component == "scheduler");
        CHECK(entry.run_id == "run-1");
    }
    CHECK(entries[0].event == "scheduler_run_start");
    CHECK(entries[0].message == "scheduler run started");
    CHECK(std::get<std::int64_t>(entries[0].fields.at("interval_minutes")) == 5);
    CHECK(std::get<std::string>(entries[0].fields.at("since")) == "2026-01-15T11:55:00Z");
    CHECK(std::get<std::string>(entries[0].fields.at("until")) == "2026-01-15T12:00:00Z");
    CHECK(entries[1].event == "scheduler_rule_start");
    CHECK(entries[1].message == "rule evaluation started");
    CHECK(std::get<std::string>(entries[1].fields.at("since")) == "2026-01-15T11:00:00Z");
    CHECK(entries[2].event == "scheduler_rule_result");
    CHECK(entries[2].message == "rule evaluation finished");
    CHECK(std::get<std::int64_t>(entries[2].fields.at("duration_ms")) == 2);
    CHECK(json_field(entries[2], "counts") ==
          nlohmann::json{{"evaluated", 1}, {"deviations_upserted", 0}, {"deviations_closed", 0}});
    CHECK(entries[3].event == "scheduler_run_end");
    CHECK(entries[3].message == "scheduler run finished");
    CHECK(json_field(entries[3], "counts") ==
          nlohmann::json{
              {"rules_total", 1}, {"rules_ok", 1}, {"rules_failed", 0}, {"deviations_upserted", 0}, {"deviations_closed", 0}});
}

TEST_CASE("a run over many scopes logs at INFO only the rules that found something") {
    RunFixture f{"R-001"};
    const core::Scope a{"a", "h", "s"};
    const core::Scope b{"b", "h", "s"};
    f.evaluator.known_scopes = {a, b};
    f.evaluator.says("R-001", b, scripted::met());
    f.run();
    std::vector<LogLevel> levels;
    for (const auto& entry : f.log.entries()) {
        if (entry.event == "scheduler_rule_result") levels.push_back(entry.level);
    }
    CHECK(levels == std::vector<LogLevel>{LogLevel::debug, LogLevel::info});
}

TEST_CASE("a period that is no whole number of minutes is logged in milliseconds") {
    RunFixture f;
    f.rule_run.run(f.config, {"run-1", std::chrono::milliseconds{250}, {}});
    const auto start = f.last_of("scheduler_run_start");
    CHECK(std::get<std::int64_t>(start.fields.at("interval_ms")) == 250);
    CHECK(std::get<std::string>(start.fields.at("since")) == "2026-01-15T11:59:59.750000Z");
    CHECK(start.fields.count("interval_minutes") == 0);
}

TEST_CASE("an error is JSON whatever bytes its message has") {
    const auto text = schedule::error_json(scripted::failed(core::FailureReason::exited, "\xFF\"\n"));
    const auto json = nlohmann::json::parse(text);
    CHECK(json.at("message") == "\xEF\xBF\xBD\"\n");
    CHECK(json.at("exit_code") == 0);
    CHECK(nlohmann::json::parse(schedule::error_json(core::Error{core::Errc::conflict, "c"})).at("type") == "conflict");
}
