#pragma once
#include "core/error.hpp"
#include "core/monitor_mode.hpp"
#include "core/scope.hpp"
#include "core/verdict.hpp"
#include "ports/log_sink.hpp"
#include "ports/run_control.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace varde::rules {

/// {"type","message","reason"}, and for a rule's failure what is known of it: the `error` field of log events (docs/log-events.md).
/// Within the limits of the log: two levels deep, and of stderr the end, which is where a program says why it dies.
[[nodiscard]] std::string error_json(const core::Error& error);
[[nodiscard]] std::string error_json(const core::Failed& failed);

/// One rule of one scope, as the log names it.
struct RuleInScope {
    const std::string& rule_id;
    const std::string& subject_key;
    const core::Scope& scope;
    core::Window window;
};

/// What became of one rule in one scope.
struct RuleResult {
    std::chrono::nanoseconds duration{};
    std::string_view outcome;  ///< of the rule, or "gated"
    int upserted = 0;
    std::string_view evaluation_truth{};  ///< with "gated"
    std::string gating_reason{};          ///< with "gated"
    core::MonitorMode mode = core::MonitorMode::on;
    bool news = false;  ///< logged at INFO in a run over many scopes too
};

/// The log events of one run (docs/log-events.md).
class RunLog {
  public:
    /// `one_scope`: a run over a single scope logs every rule at INFO; a larger one only what is news.
    RunLog(ports::LogSink& sink, std::string run_id) : sink_{sink}, run_id_{std::move(run_id)} {}
    void set_scopes(std::size_t scopes) { one_scope_ = scopes == 1; }

    void run_started(std::chrono::milliseconds interval, core::Instant now);
    void rule_finished(const RuleInScope& rule, const RuleResult& result);
    void rule_failed(const RuleInScope& rule, std::chrono::nanoseconds duration, const std::string& error);
    void run_finished(const ports::RunSummary& summary);
    void run_failed(const ports::RunSummary& summary, const core::Error& error);

  private:
    void rule_started(ports::LogLevel level, const RuleInScope& rule, const std::string& scope);
    void write(ports::LogLevel level, std::string_view event, std::string_view message, std::span<const ports::LogField> fields);

    ports::LogSink& sink_;
    std::string run_id_;
    bool one_scope_ = true;
};

}  // namespace varde::rules
