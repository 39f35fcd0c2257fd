#pragma once
#include "ports/job_kind.hpp"
#include "ports/run_repository.hpp"

#include <optional>

namespace varde::schedule {

/// Why an attempt was stopped from outside.
enum class Stopped { timed_out, cancelled, host_stopping };

/// What becomes of a run whose attempt is over: success, or another attempt while the retry policy allows it, or the state that says how
/// it failed. `answer`: nullopt if the job has not returned. Pure.
[[nodiscard]] ports::FinishedRun ended(const ports::ClaimedRun& claimed, const std::optional<ports::JobAnswer>& answer,
                                       std::optional<Stopped> stopped, core::Instant started_at, core::Instant now);

/// What becomes of a run whose host went away: another attempt, or abandoned. Pure.
[[nodiscard]] ports::FinishedRun owner_lost(const ports::ClaimedRun& claimed, core::Instant now);

/// When the attempt after `attempt` is made: the policy's back-off, doubled for each attempt if exponential and never above max_backoff,
/// times a factor in (0, 1] that is made from the run and the attempt ("full jitter"), so that what failed together does not come back
/// together. Pure.
[[nodiscard]] core::Instant retry_at(const core::RetryPolicy& policy, std::int64_t run_id, int attempt, core::Instant now);

}  // namespace varde::schedule
