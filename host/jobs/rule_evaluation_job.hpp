#pragma once
#include "ports/job_kind.hpp"
#include "ports/run_control.hpp"

namespace varde::jobs {

/// Kind "rule_evaluation": a run of rules, between those that rules.yaml's interval makes. Params: {"rules": [ids]}; without it every
/// enabled rule. The result has the run's id and counts. A run that could not be committed is a failure, and so is an id that rules.yaml
/// does not have. A run that has begun goes to its end; a stop ends the waiting for it only.
class RuleEvaluationJob final : public ports::JobKind {
  public:
    explicit RuleEvaluationJob(ports::RunControl& runs) : runs_{runs} {}
    [[nodiscard]] std::string_view name() const override { return "rule_evaluation"; }
    [[nodiscard]] std::string_view summary() const override { return "a run of rules over every home"; }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] bool reaches_beyond_org(const std::string&) const override { return true; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    ports::RunControl& runs_;
};

}  // namespace varde::jobs
