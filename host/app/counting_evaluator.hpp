#pragma once
#include "ports/evaluator.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace varde::app {

/// What a rule answered over a simulation.
struct OutcomeCounts {
    std::int64_t met = 0;
    std::int64_t not_met = 0;
    std::int64_t no_data = 0;
    std::int64_t unknown = 0;
    std::int64_t failed = 0;
    std::int64_t carried = 0;  ///< of these, answers that still held: the rule was not asked
    [[nodiscard]] std::int64_t total() const { return met + not_met + no_data + unknown + failed; }
};

/// Hands everything on to another evaluator and counts the answers.
class CountingEvaluator final : public ports::Evaluator {
  public:
    explicit CountingEvaluator(ports::Evaluator& next) : next_{next} {}

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override;
    core::Result<void> catch_up(core::Instant now) override;
    [[nodiscard]] std::vector<core::Scope> scopes() const override;
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override;
    core::Verdict evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                  std::span<const core::Event> events) override;

    [[nodiscard]] const std::map<std::string, OutcomeCounts>& counts() const { return counts_; }

  private:
    ports::Evaluator& next_;
    std::map<std::string, OutcomeCounts> counts_;
};

}  // namespace varde::app
