#include "rules/run_log.hpp"

#include "core/evidence_facts.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

namespace varde::rules {
namespace {

using nlohmann::ordered_json;
using ports::Json;
using ports::LogLevel;

// Messages come from files, libraries and workers: bytes that are not UTF-8 must not throw here.
std::string text_of(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

std::string scope_json(const core::Scope& scope) {
    return text_of({{"org_id", scope.org_id}, {"home_id", scope.home_id}, {"subject_id", scope.subject_id}});
}

std::int64_t ms(std::chrono::nanoseconds duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::int64_t duration_ms(const ports::RunSummary& summary) {
    // The wall clock may be set back during a run.
    return std::max<std::int64_t>(0, ms(summary.finished_at - summary.started_at));
}

/// The log cuts texts at their end; the end is what matters here.
std::string last_words(const std::string& text) {
    constexpr std::size_t kMost = 700;
    if (text.size() <= kMost) return text;
    auto from = text.size() - kMost;
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
    return "..." + text.substr(from);
}

void put_evidence(ordered_json& json, const core::Evidence& evidence) {
    for (const auto& [part, name, value] : core::facts_of(evidence)) {
        auto& place = (part.empty() ? json : json[std::string{part}])[std::string{name}];
        if (const auto* const at = std::get_if<core::Instant>(&value)) {
            place = time::format_utc(*at);
        } else if (const auto* const text = std::get_if<std::string>(&value)) {
            place = name == "stderr" ? last_words(*text) : *text;
        } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
            place = *number;
        } else {
            place = std::get<std::vector<std::string>>(value);
        }
    }
}

}  // namespace

std::string error_json(const core::Error& error) {
    return text_of({{"type", core::name_of(error.code)}, {"message", error.context}, {"reason", core::name_of(error.code)}});
}

std::string error_json(const core::Failed& failed) {
    ordered_json json{{"type", "rule_failed"},
                      {"message", failed.message},
                      {"reason", core::name_of(failed.reason)},
                      {"phase", core::name_of(failed.phase)}};
    if (failed.signal != 0) json["signal"] = failed.signal;
    if (failed.reason == core::FailureReason::exited) json["exit_code"] = failed.exit_code;
    if (!failed.incident_id.empty()) json["incident_id"] = failed.incident_id;
    if (failed.evidence) put_evidence(json, *failed.evidence);
    return text_of(json);
}

void RunLog::write(LogLevel level, std::string_view event, std::string_view message, std::span<const ports::LogField> fields) {
    sink_.write(level, "scheduler", event, run_id_, message, fields);
}

void RunLog::run_started(std::chrono::milliseconds interval, core::Instant now) {
    const auto whole = std::chrono::duration_cast<std::chrono::minutes>(interval);
    const ports::LogField period = whole == interval ? ports::LogField{"interval_minutes", std::int64_t{whole.count()}}
                                                     : ports::LogField{"interval_ms", std::int64_t{interval.count()}};
    write(
        LogLevel::info, "scheduler_run_start", "scheduler run started",
        std::array<ports::LogField, 3>{{period, {"since", time::format_utc(now - interval)}, {"until", time::format_utc(now)}}});
}

void RunLog::rule_started(LogLevel level, const RuleInScope& rule, const std::string& scope) {
    write(level, "scheduler_rule_start", "rule evaluation started",
          std::array<ports::LogField, 5>{{{"rule_id", rule.rule_id},
                                          {"subject_key", rule.subject_key},
                                          {"scope", Json{scope}},
                                          {"since", time::format_utc(rule.window.since)},
                                          {"until", time::format_utc(rule.window.until)}}});
}

void RunLog::rule_finished(const RuleInScope& rule, const RuleResult& result) {
    const auto level = one_scope_ || result.news ? LogLevel::info : LogLevel::debug;
    if (!sink_.wants(level)) return;
    const auto scope = scope_json(rule.scope);
    rule_started(level, rule, scope);
    // `evaluated` is 1 for a gated rule too: the reference counts what it went through.
    std::vector<ports::LogField> fields{
        {"rule_id", rule.rule_id},
        {"scope", Json{scope}},
        {"duration_ms", ms(result.duration)},
        {"counts", Json{text_of({{"evaluated", 1}, {"deviations_upserted", result.upserted}, {"deviations_closed", 0}})}},
        {"outcome", std::string{result.outcome}}};
    if (!result.gating_reason.empty()) {
        fields.push_back({"evaluation_truth", std::string{result.evaluation_truth}});
        fields.push_back({"gating_reason", result.gating_reason});
    }
    if (result.mode != core::MonitorMode::on) fields.push_back({"monitor_mode", std::string{core::name_of(result.mode)}});
    write(level, "scheduler_rule_result", "rule evaluation finished", fields);
}

void RunLog::rule_failed(const RuleInScope& rule, std::chrono::nanoseconds duration, const std::string& error) {
    const auto scope = scope_json(rule.scope);
    rule_started(LogLevel::info, rule, scope);
    write(LogLevel::error, "scheduler_rule_error", "rule evaluation failed",
          std::array<ports::LogField, 5>{{{"rule_id", rule.rule_id},
                                          {"subject_key", rule.subject_key},
                                          {"scope", Json{scope}},
                                          {"duration_ms", ms(duration)},
                                          {"error", Json{error}}}});
}

void RunLog::run_finished(const ports::RunSummary& summary) {
    const auto& counts = summary.counts;
    write(LogLevel::info, "scheduler_run_end", "scheduler run finished",
          std::array<ports::LogField, 4>{{{"duration_ms", duration_ms(summary)},
                                          {"counts", Json{text_of({{"rules_total", counts.rules_total},
                                                                   {"rules_ok", counts.rules_ok},
                                                                   {"rules_failed", counts.rules_failed},
                                                                   {"deviations_upserted", counts.deviations_upserted},
                                                                   {"deviations_closed", counts.deviations_closed}})}},
                                          {"rules_gated", counts.rules_gated},
                                          {"scopes", summary.scopes}}});
}

void RunLog::run_failed(const ports::RunSummary& summary, const core::Error& error) {
    write(LogLevel::error, "scheduler_run_end", "scheduler run failed",
          std::array<ports::LogField, 2>{{{"duration_ms", duration_ms(summary)}, {"error", Json{error_json(error)}}}});
}

}  // namespace varde::rules
