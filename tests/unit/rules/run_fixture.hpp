#pragma once
#include "fakes/baseline_repository.hpp"
#include "fakes/decision_repository.hpp"
#include "fakes/deviation_repository.hpp"
#include "fakes/log_sink.hpp"
#include "fakes/monitor_mode_repository.hpp"
#include "fakes/rule_repository.hpp"
#include "rules/rule_run.hpp"
#include "scripted_rules.hpp"
#include "time/clock.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace varde::scripted {

inline core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

/// A RuleRun over fakes, at 2026-01-15T12:00:00Z, with the default scope having data.
struct RunFixture {
    time::ManualClock clock{at("2026-01-15T12:00:00Z")};
    Evaluator evaluator;
    fakes::DeviationRepository deviations;
    fakes::RuleRepository rules;
    fakes::BaselineRepository baselines;
    fakes::MonitorModeRepository modes;
    fakes::DecisionRepository decisions;
    fakes::LogSink log;
    config::RulesConfig config;
    config::DecisionSettings keep_decisions{};
    rules::RuleRun rule_run{ports()};

    explicit RunFixture(std::initializer_list<const char*> enabled = {}) {
        deviations.keep_decisions_in(decisions);
        for (const auto* id : enabled) enable(id);
    }
    [[nodiscard]] rules::RunPorts ports() {
        return {evaluator, deviations, rules, baselines, modes, clock, log, &decisions, keep_decisions};
    }
    config::RuleSettings& enable(const std::string& id) {
        auto& rule = config.rules[id];
        rule.enabled_in_scheduler = true;
        return rule;
    }
    ports::RunSummary run(std::function<bool()> abandoned = {}) {
        return rule_run.run(config, {"run-1", std::chrono::minutes{5}, std::move(abandoned)});
    }
    ports::RunSummary run_at(std::string_view now) {
        clock.set(at(now));
        return run();
    }
    /// An active row as an earlier run would have left it.
    std::int64_t put(const std::string& rule_id, std::string_view last_seen, const core::Scope& scope = {}) {
        core::Deviation row;
        row.rule_id = rule_id;
        row.scope = scope;
        row.started_at = row.last_seen_at = at(last_seen);
        return deviations.put(row);
    }
    /// The log without the run's first and last line: "EVENT rule".
    [[nodiscard]] std::vector<std::string> rule_log() const {
        std::vector<std::string> lines;
        for (const auto& entry : log.entries()) {
            const auto rule = entry.fields.find("rule_id");
            if (rule != entry.fields.end()) lines.push_back(entry.event.substr(10) + " " + std::get<std::string>(rule->second));
        }
        return lines;
    }
    [[nodiscard]] fakes::LogSink::Entry last_of(std::string_view event) const {
        for (const auto entries = log.entries(); const auto& entry : std::vector(entries.rbegin(), entries.rend())) {
            if (entry.event == event) return entry;
        }
        FAIL("no such log event: " << std::string{event});
        return {};
    }
};

inline nlohmann::json json_field(const fakes::LogSink::Entry& entry, const char* key) {
    return nlohmann::json::parse(std::get<ports::Json>(entry.fields.at(key)).text);
}

}  // namespace varde::scripted
