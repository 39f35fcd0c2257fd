#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"
#include "core/planned_slot.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"
#include "ports/run_repository.hpp"

#include <vector>

namespace varde::schedule {

/// The next `count` slots after an instant with a reason for each, and between them what is lost when clocks go forward. Slots outside of
/// the execution window, or on days that the calendars exclude, are lines that do not fire, and count; those that calendars have moved say
/// from which day. Pure. Errc::invalid_argument: the trigger, or count (1..1000).
[[nodiscard]] core::Result<std::vector<core::PlannedSlot>> preview_slots(const core::Schedule& schedule, core::Instant after,
                                                                         int count, const core::Calendars& calendars = {});

/// Why the schedule did, did not or will run at an instant: from the rows around it, the trigger and the state. Pure.
[[nodiscard]] core::SlotExplanation explain_slot(const core::Schedule& schedule, const ports::RunRepository::Around& around,
                                                 core::Instant at, core::Instant now, const core::Calendars& calendars = {});

}  // namespace varde::schedule
