#pragma once
#include "ports/job_kind.hpp"
#include "ports/run_control.hpp"
#include "ports/run_repository.hpp"

#include <mutex>
#include <optional>

namespace varde::jobs {

/// Kind "rule_evaluation": a run of rules, one at a time on a host. Params: {"rules": [ids]}; without it every enabled rule, or with
/// {"without_scheduled": true} those that rules.yaml gives no time of their own. The result has the run's id and counts. A run that could
/// not be committed is a failure, and so is an id that rules.yaml does not have. A run that has begun goes to its end; a stop ends the
/// waiting for it only.
class RuleEvaluationJob final : public ports::JobKind {
  public:
    /// `history`: where the runs of other hosts are seen; null: there are none. All outlive the job.
    explicit RuleEvaluationJob(ports::RunControl& runs, ports::RunRepository* history = nullptr)
        : runs_{runs}, history_{history} {}
    [[nodiscard]] std::string_view name() const override { return "rule_evaluation"; }
    [[nodiscard]] std::string_view summary() const override { return "a run of rules over every home"; }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] bool reaches_beyond_org(const std::string&) const override { return true; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    /// Whether another host has, or may have, made a run since the last one here.
    bool others_ran(const core::Run& run);

    ports::RunControl& runs_;
    ports::RunRepository* history_;
    std::mutex mutex_;
    std::optional<core::Instant> last_start_;  ///< of a run here
};

}  // namespace varde::jobs
