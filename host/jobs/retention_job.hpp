#pragma once
#include "ports/decision_repository.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/event_log.hpp"
#include "ports/job_kind.hpp"
#include "ports/run_repository.hpp"
#include "time/clock.hpp"

#include <functional>

namespace varde::jobs {

/// Kind "retention": deletes what is older than its params say. Params (docs/job-kinds.md), durations of 1 d to 100 years, at least one:
///   events      by event time; never younger than `rules_need` says, whatever the param, and never the newest one
///   deviations  closed ones, by when they were closed
///   decisions   by when they began
///   runs        finished ones, by when they ended
/// Deletes in batches, each a transaction of its own, so that writers wait for one batch at most, and looks between them whether it is
/// to stop. Doing it again is harmless. The answer counts what went: {"events": 7, "runs": 2}; also of an attempt that failed half-way.
class RetentionJob final : public ports::JobKind {
  public:
    /// All outlive this. `rules_need`: how far back rules and baselines may look, asked at every run; may be empty: not at all.
    struct Parts {
        ports::EventLog& events;
        ports::DeviationRepository& deviations;
        ports::DecisionRepository& decisions;
        ports::RunRepository& runs;
        const time::Clock& clock;
        std::function<core::Microseconds()> rules_need;
    };
    explicit RetentionJob(Parts parts) : parts_{std::move(parts)} {}
    [[nodiscard]] std::string_view name() const override { return "retention"; }
    [[nodiscard]] std::string_view summary() const override {
        return "deletes old events, closed deviations, decisions and runs";
    }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] bool reaches_beyond_org(const std::string&) const override { return true; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    Parts parts_;
};

}  // namespace varde::jobs
