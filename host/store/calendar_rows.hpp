#pragma once
#include "core/calendar.hpp"
#include "core/schedule.hpp"
#include "store/row_batch.hpp"
#include "store/session.hpp"

#include <optional>
#include <string>
#include <vector>

/// Calendars, within the caller's transaction. All throw SqlFailure.
namespace varde::store {

/// For each schedule those that its policy names and that exist, in that order; one that somebody has broken by hand counts as missing.
[[nodiscard]] std::vector<core::Calendars> calendars_of(Session& session, const std::vector<const core::Schedule*>& schedules);
/// Throws Refusal (not_found) if the schedule names one that its organisation does not have. On PostgreSQL they cannot be removed before
/// the transaction ends.
void require_calendars(Session& session, const core::Schedule& schedule);

/// By organisation and id; both may be empty: any. Errc::database_failed (SqlFailure) names one that somebody has broken by hand.
[[nodiscard]] std::vector<core::Calendar> select_calendars(Session& session, const std::string& org_id,
                                                           const std::string& calendar_id);
/// Locked against every other change until the end of the transaction.
[[nodiscard]] std::optional<core::Calendar> lock_calendar(Session& session, const std::string& org_id,
                                                          const std::string& calendar_id);
void write_calendar(Session& session, const core::Calendar& calendar);
void erase_calendar(Session& session, const std::string& org_id, const std::string& calendar_id);

/// The schedules that name the calendar, by id; `locked`: against every other change.
[[nodiscard]] std::vector<core::Schedule> schedules_with(Session& session, const std::string& org_id,
                                                         const std::string& calendar_id, bool locked);
/// Writes next_at and state alone: no edit, so that the version stays.
void move_cursors(Session& session, const std::vector<core::Schedule>& schedules);

}  // namespace varde::store
