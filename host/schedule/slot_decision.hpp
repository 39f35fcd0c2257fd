#pragma once
#include "core/error.hpp"
#include "ports/schedule_repository.hpp"

namespace varde::schedule {

/// What is decided about a due schedule: the cursor behind every slot up to now, a pending (or waiting) row for each slot that is to be
/// run, and rows that say why the others are not, one for all slots that share a reason. Pure; the order of questions is
///   0. has an event cancelled or moved a one-off (event_decision.hpp);
///   1. is the slot within the execution window (outside_window), and on a day that its calendars allow (excluded);
///   2. is it timely, or late and kept by the catch-up policy (misfire); of several timely ones the newest, if coalescing (coalesced);
///   3. is there room for it to wait (queue_full);
///   4. are too many runs of the schedule alive (overlap, or it waits, or the others are cancelled);
///   5. has what it depends on succeeded (it waits).
/// A trigger that cannot be read any more (a zone that was removed) completes nothing: the schedule is looked at again an hour later, and
/// a skipped row says why.
[[nodiscard]] ports::DueDecision decide(const ports::DueSchedule& due, core::Instant now, bool queue_full);

/// What becomes of a run that waits.
[[nodiscard]] ports::WaitingDecision decide_waiting(const ports::WaitingRun& waiting);

/// Whether every dependency has succeeded: since the last successful run of the schedule started, or at all if it has none. With trigger
/// `after`: since its last slot. `missing`: the ids that have not, for people.
[[nodiscard]] bool dependencies_met(const core::Schedule& schedule, const ports::DependencyFacts& facts,
                                    std::string* missing = nullptr);

}  // namespace varde::schedule
