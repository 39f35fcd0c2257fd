#pragma once
#include "ports/schedule_repository.hpp"

#include <span>
#include <string>
#include <vector>

namespace varde::schedule {

/// What its events (DueSchedule::events) make of a one-off that listens.
struct Heeding {
    /// True: `decision` is all; else it tells only of events that were refused, and the schedule goes on as it would.
    bool settled = false;
    ports::DueDecision decision;
};

/// Pure. The events in their order: the first that cancels ends the schedule, with a skipped row that names it; else the newest that
/// moves it gives it its time (one that has passed: now), with a skipped row for the slot of before. A time that is missing, cannot be
/// read or lies outside of starts_at and ends_at leaves it alone. With more events to come nothing is settled but that it waits.
[[nodiscard]] Heeding heed(const ports::DueSchedule& due, core::Instant now);

/// The decision about a one-off that is called and need not be due: as heed() says, or as it was.
[[nodiscard]] ports::DueDecision decide_called(const ports::DueSchedule& due, core::Instant now);

/// ports::CalledBy.
[[nodiscard]] std::vector<std::string> called_by(std::span<const core::Event> events,
                                                 std::span<const ports::EventListener> listeners);

/// For people: "unless an event cancels it (user_reactivated) or moves it (user_delayed)"; empty if it does not listen.
[[nodiscard]] std::string condition_of(const core::Trigger& trigger);

}  // namespace varde::schedule
