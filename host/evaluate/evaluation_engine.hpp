#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "evaluate/evaluation_batch.hpp"
#include "evaluate/event_columns.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/rule_worker.hpp"
#include "ports/evaluator.hpp"
#include "ports/event_log.hpp"
#include "ports/log_sink.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::evaluate {

/// The Evaluator of the product: live columns of recent events, windows in shared memory, one sandboxed worker process a rule.
///
/// All calls on one thread, which must live as long as its workers: the kernel kills a worker when the thread that started it ends.
/// (Then the next call starts new ones.) Blocking, also on the event log.
class EvaluationEngine final : public ports::Evaluator {
  public:
    /// `log` may be null: then only evaluate_events() has anything to judge. That the worker program is missing is not found out
    /// here: configure() reports it for every rule.
    EvaluationEngine(ports::EventLog* log, const config::HostConfig::Isolation& settings, ports::LogSink& sink);
    ~EvaluationEngine() override;

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override;
    core::Result<void> catch_up(core::Instant now) override;
    [[nodiscard]] std::vector<core::Scope> scopes() const override;
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override;
    core::Verdict evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                  std::span<const core::Event> events) override;

    /// Process id of the rule's worker, 0 if there is none. For tests and diagnosis.
    [[nodiscard]] int worker_pid(const std::string& rule_id) const;
    /// wire::posture_* bits of the rule's worker: which layers of the sandbox this kernel gave.
    [[nodiscard]] std::uint32_t posture(const std::string& rule_id) const;

  private:
    struct Rule {
        std::unique_ptr<RuleRunner> runner;
        std::optional<core::Failed> failure;  ///< why it cannot be used as configured
        BoundRule bound;
    };
    [[nodiscard]] Rule* find(const std::string& rule_id);
    [[nodiscard]] const Rule* find(const std::string& rule_id) const;
    core::Failed not_loaded(const std::string& rule_id) const;
    void plan_columns();
    core::Result<void> add_scope(EvaluationBatch& batch, const core::Scope& scope, std::span<const ports::Evaluation> evaluations,
                                 std::span<const std::size_t> members, std::vector<core::Verdict>& verdicts);

    ports::LogSink& sink_;
    std::optional<core::Failed> no_house_;  ///< why no worker can be started at all
    std::unique_ptr<WorkerHouse> house_;
    EventColumns events_;
    std::vector<Rule> rules_;
};

}  // namespace varde::evaluate
