#pragma once
#include "core/run.hpp"
#include "ports/run_repository.hpp"
#include "store/session.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace varde::store {

/// A run that has just got a terminal state.
struct EndedRun {
    std::string schedule_id;
    core::RunState state;
    core::Instant finished_at;
};
/// What the end of runs makes due, in their transaction: the next slot of intervals that count from it, and schedules that were waiting
/// for a success.
void arm_followers(Session& session, std::span<const EndedRun> ended);

/// Whose attempts may be ended.
struct RunHolder {
    std::string owner;
    std::int64_t epoch = 0;  ///< less than 0: anybody's
};
/// Stores the ends of attempts that are still running and makes due what follows. Gives the ids of those that were. One that is to be tried
/// again although its cancellation was asked for is cancelled.
[[nodiscard]] std::vector<std::int64_t> store_ends(Session& session, const RunHolder& holder,
                                                   std::span<const ports::FinishedRun> ends);

/// Ends the waiting and pending runs of schedules as cancelled.
void cancel_queued(Session& session, const std::vector<std::string>& schedule_ids, core::SlotReason reason, core::Instant now);
/// Asks the running ones to stop.
void stop_running(Session& session, const std::vector<std::string>& schedule_ids);

}  // namespace varde::store
