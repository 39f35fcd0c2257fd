#pragma once
#include "app/plugin_check/check.hpp"
#include "core/verdict.hpp"
#include "evaluate/evaluation_engine.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::app::plugin_check {

/// Hands log events on, and remembers what the engine only says there: a rule that fails in destroy() has failed no evaluation.
class EngineLog final : public ports::LogSink {
  public:
    explicit EngineLog(ports::LogSink& next) : next_{next} {}
    void write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
               std::string_view message, std::span<const ports::LogField> fields) override;
    [[nodiscard]] bool wants(ports::LogLevel level) const override { return next_.wants(level); }
    /// The first failure in destroy(); empty: none.
    [[nodiscard]] const std::string& destroy_failure() const { return destroy_failure_; }

  private:
    ports::LogSink& next_;
    std::string destroy_failure_;
};

/// One rule in a fresh worker, through the engine that the host uses. The worker ends with it.
class Trial {
  public:
    /// Loads the subject's plugin and creates its rule with the subject's parameters.
    explicit Trial(const Subject& subject);

    /// Why that did not work; nullopt: it did.
    [[nodiscard]] const std::optional<core::Failed>& failure() const { return failure_; }
    /// How long it took, the worker's start included.
    [[nodiscard]] std::chrono::nanoseconds start_time() const { return start_time_; }

    [[nodiscard]] core::Verdict evaluate(std::span<const core::Event> events) {
        return evaluate(events, subject_.params, subject_.window());
    }
    [[nodiscard]] core::Verdict evaluate(std::span<const core::Event> events, const std::string& params, core::Window window);

    /// What the rule finds wrong with itself (varde.selftest/1); nullopt: nothing, or it does not look.
    [[nodiscard]] std::optional<core::Failed> selftest() { return engine_.selftest(subject_.plugin->rule_id); }

    /// True once the check has taken a minute: a rule that is slow, but not too slow, must not make it take an hour.
    [[nodiscard]] bool out_of_time() const;

    /// How destroy() failed, where the engine had to end an instance; empty: it did not.
    [[nodiscard]] const std::string& destroy_failure() const { return log_.destroy_failure(); }

    /// Bytes of memory of its own that the worker holds; nullopt: the system does not say.
    [[nodiscard]] std::optional<std::int64_t> memory_bytes() const;
    [[nodiscard]] int worker_pid() const { return engine_.worker_pid(subject_.plugin->rule_id); }

  private:
    const Subject& subject_;
    EngineLog log_;
    evaluate::EvaluationEngine engine_;
    std::optional<core::Failed> failure_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::nanoseconds start_time_{};
};

/// "segmentation_fault in evaluate: SIGSEGV at 0x10".
[[nodiscard]] std::string text_of(const core::Failed& failed);
/// Everything a rule answered as one line of JSON: equal answers have equal texts.
[[nodiscard]] std::string text_of(const core::Completed& answer);
/// At most `most` characters, with an ellipsis if there were more.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t most = 240);

}  // namespace varde::app::plugin_check
