#pragma once
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"

namespace varde::schedule {

/// `calendars`: those that the schedule names, of those that exist.

/// The cursor of a schedule that begins now. Errc::invalid_argument: its trigger cannot be read, never fires, or (a one-off, an end) lies
/// wholly in the past.
[[nodiscard]] core::Result<core::Schedule> begun(core::Schedule wanted, core::Instant now, const core::Calendars& calendars = {});

/// What an edit makes of a schedule. Pure. If the trigger, starts_at and ends_at stay, and calendars that move times, so does the cursor:
/// an unrelated edit never costs a slot. Else a new generation begins; a slot that is due already is kept and none before now is added.
/// `wanted.state` counts only where it switches between disabled and not disabled.
[[nodiscard]] core::Result<ports::ScheduleRepository::Edited> edited(const core::Schedule& current, core::Schedule wanted,
                                                                     core::Instant now, const core::Calendars& calendars = {});

/// Enable, disable, pause, resume. Slots that are left out while it rested get a row that says so (resume_catch_up: none, the due loop
/// decides about them). Errc::conflict: the state does not allow it.
[[nodiscard]] core::Result<ports::ScheduleRepository::Edited> acted(const core::Schedule& current, ports::ScheduleAction action,
                                                                    core::Instant now, const core::Calendars& calendars = {});

/// Where the cursor belongs after one of the calendars has changed. A slot that is due already is kept, and none before now is added;
/// one whose times do not move keeps its cursor.
void recompute(core::Schedule& schedule, const core::Calendars& calendars, core::Instant now);
/// The same after the rules of time zones have changed: whatever its times are, they may be others now.
void follow_clock(core::Schedule& schedule, const core::Calendars& calendars, core::Instant now);

}  // namespace varde::schedule
