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
    const auto text = rules::error_json(scripted::failed(core::FailureReason::exited, "\xFF\"\n"));
    const auto json = nlohmann::json::parse(text);
    CHECK(json.at("message") == "\xEF\xBF\xBD\"\n");
    CHECK(json.at("exit_code") == 0);
    CHECK(nlohmann::json::parse(rules::error_json(core::Error{core::Errc::conflict, "c"})).at("type") == "conflict");
}

TEST_CASE("a failure without evidence says what it did before") {
    CHECK(nlohmann::json::parse(rules::error_json(scripted::failed(core::FailureReason::deadline, "late"))) ==
          nlohmann::json{{"type", "rule_failed"}, {"message", "late"}, {"reason", "deadline"}, {"phase", "evaluate"}});
}

TEST_CASE("what is known of a failure stands in its error, by subject") {
    core::Evidence e;
    e.path = "plugins/R-001.so";
    e.version = "1.0.0";
    e.sdk = "c++";
    e.sha256 = "aa11";
    e.build_id = "beef";
    e.pid = 4711;
    e.incarnation = 2;
    e.uptime = std::chrono::milliseconds{1500};
    e.evaluation = 3;
    e.posture = "A";
    e.signal_code = 1;
    e.address_class = "null";
    e.address = 16;
    e.syscall = "socket (41)";
    e.frames = {{"R-001.so", 0x1139, "Rule::evaluate"}, {"varde-worker", 0x40, ""}};
    e.stack_note = "two frames only";
    e.wall = std::chrono::milliseconds{2003};
    e.cpu = std::chrono::milliseconds{3};
    e.run_delay = std::chrono::milliseconds{1990};
    e.max_rss_bytes = 1 << 20;
    e.limit = "timeout_ms";
    e.limit_measured = 2003;
    e.limit_value = 2000;
    e.window = {scripted::at("2026-01-15T11:00:00Z"), scripted::at("2026-01-15T12:00:00Z")};
    e.first_seq = 5;
    e.last_seq = 9;
    e.events = 4;
    e.stderr_tail = "assertion failed";
    e.consecutive_failures = 3;
    e.breaker = "quarantined";
    e.action = "worker replaced, rule quarantined";
    e.out_until = scripted::at("2026-01-15T12:00:32Z");
    e.clear_hint = "varde rules release R-001";
    e.bundle = "var/incidents/1";
    auto failed = scripted::failed(core::FailureReason::segmentation_fault, "SIGSEGV");
    failed.signal = 11;
    failed.incident_id = "0f0f";
    failed.evidence = std::make_shared<const core::Evidence>(e);
    const auto expected = nlohmann::json::parse(R"json({
        "type": "rule_failed", "message": "SIGSEGV", "reason": "segmentation_fault", "phase": "evaluate", "signal": 11,
        "incident_id": "0f0f",
        "plugin": {"path": "plugins/R-001.so", "version": "1.0.0", "sdk": "c++", "sha256": "aa11", "build_id": "beef"},
        "process": {"pid": 4711, "incarnation": 2, "uptime_ms": 1500, "evaluation": 3, "posture": "A"},
        "fault": {"signal_code": 1, "address_class": "null", "address": "0x10", "syscall": "socket (41)"},
        "frames": ["R-001.so+0x1139 Rule::evaluate", "varde-worker+0x40"],
        "stack_note": "two frames only",
        "resources": {"wall_ms": 2003, "cpu_ms": 3, "run_delay_ms": 1990, "max_rss_bytes": 1048576, "limit": "timeout_ms",
                      "limit_measured": 2003, "limit_value": 2000},
        "window": {"since": "2026-01-15T11:00:00Z", "until": "2026-01-15T12:00:00Z", "events": 4, "first_seq": 5, "last_seq": 9},
        "stderr": "assertion failed",
        "breaker": {"state": "quarantined", "action": "worker replaced, rule quarantined", "consecutive_failures": 3,
                    "until": "2026-01-15T12:00:32Z", "clear": "varde rules release R-001"},
        "bundle": "var/incidents/1"})json");
    CHECK(nlohmann::json::parse(rules::error_json(failed)) == expected);
}

TEST_CASE("of a long stderr the end is logged, whole characters only") {
    core::Evidence e;
    e.stderr_tail = std::string(4000, 'x') + "\xC3\xA6" + std::string(699, 'y');
    auto failed = scripted::failed();
    failed.evidence = std::make_shared<const core::Evidence>(e);
    CHECK(nlohmann::json::parse(rules::error_json(failed)).at("stderr") == "..." + std::string(699, 'y'));
}
