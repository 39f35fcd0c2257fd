#include "app/plugin_check/trial.hpp"

#include "app/plugin_check/event_maker.hpp"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app::plugin_check {
namespace {

using nlohmann::ordered_json;

config::HostConfig::Isolation alone(config::HostConfig::Isolation settings) {
    settings.spares = 0;  // there is one worker, and it is started now
    // A worker that is replaced in time would hide what the rule leaves behind.
    settings.max_growth_mb = 1ull << 20;
    settings.max_evaluations = 1ull << 40;
    return settings;
}

}  // namespace

void EngineLog::write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
                      std::string_view message, std::span<const ports::LogField> fields) {
    if (event == "rule_destroy_failed" && destroy_failure_.empty()) destroy_failure_ = message;
    next_.write(level, component, event, run_id, message, fields);
}

Trial::Trial(const Subject& subject) : subject_{subject}, log_{*subject.log}, engine_{nullptr, alone(subject.isolation), log_} {
    ports::RuleSpec spec;
    spec.plugin = *subject.plugin;
    spec.params = subject.params;
    spec.timeout = subject.timeout;
    spec.memory_bytes = subject.memory_bytes;
    failure_ = engine_.configure({std::move(spec)}).front();
    start_time_ = std::chrono::steady_clock::now() - start_;
}

core::Verdict Trial::evaluate(std::span<const core::Event> events, const std::string& params, core::Window window) {
    return engine_.evaluate_events({subject_.plugin->rule_id, test_scope(), window, window.until}, params, events);
}

bool Trial::out_of_time() const { return std::chrono::steady_clock::now() - start_ > std::chrono::minutes{1}; }

std::optional<std::int64_t> Trial::memory_bytes() const {
    // Of the worker as a whole smaps would say more, but it belongs to another user.
    std::ifstream status{fmt::format("/proc/{}/status", worker_pid())};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) return std::strtoll(line.c_str() + 8, nullptr, 10) * 1024;
    }
    return std::nullopt;
}

std::string text_of(const core::Failed& failed) {
    return fmt::format("{} in {}: {}", core::name_of(failed.reason), core::name_of(failed.phase), failed.message);
}

std::string text_of(const core::Completed& answer) {
    ordered_json findings = ordered_json::array();
    for (const auto& finding : answer.findings) {
        findings.push_back({{"severity", core::name_of(finding.severity)},
                            {"title", finding.title},
                            {"explanation", finding.explanation},
                            {"evidence", ordered_json::parse(finding.evidence, nullptr, false)},
                            {"window", {core::to_us(finding.window.since), core::to_us(finding.window.until)}},
                            {"timestamp", core::to_us(finding.timestamp)}});
    }
    std::string state;  // any bytes, which JSON has no text for
    for (const char byte : answer.state.value_or("")) state += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    const ordered_json all{{"outcome", core::name_of(answer.outcome)},
                           {"reason", answer.reason},
                           {"valid_until", core::to_us(answer.valid_until)},
                           {"state", std::move(state)},
                           {"findings", std::move(findings)}};
    return all.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string shortened(const std::string& text, std::size_t most) {
    return text.size() <= most ? text : text.substr(0, most) + "...";
}

}  // namespace varde::app::plugin_check
