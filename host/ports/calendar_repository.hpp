#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"
#include "core/schedule.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

/// Gives the calendars that a schedule names, as they are in the same transaction. Those that do not exist are missing.
using CalendarsOf = std::function<core::Result<core::Calendars>(const core::Schedule&)>;

/// The calendars of organisations. Thread-safe; blocking. Every change is durable when the call returns.
class CalendarRepository {
  public:
    virtual ~CalendarRepository() = default;

    /// Called for each schedule that uses a changed calendar, locked, with all of its calendars as they now are; what it makes of next_at
    /// and state is written. May be called again for the same schedule (a deadlock is tried again).
    using Recompute = std::function<void(core::Schedule&, const core::Calendars&)>;
    /// Creates the calendar, or replaces the one of that id and organisation, with the cursors of the schedules that use it, in one
    /// transaction. `only_version`: only if it exists and has it, else Errc::conflict. Gives it as stored: `version` is raised (a new one
    /// has 1), created_at is kept.
    [[nodiscard]] virtual core::Result<core::Calendar> put(const core::Calendar& calendar,
                                                           std::optional<std::int64_t> only_version,
                                                           const Recompute& recompute) = 0;
    /// Errc::not_found: there is none. Errc::conflict names the schedules that use it, or the version.
    [[nodiscard]] virtual core::Result<void> remove(const std::string& calendar_id, const std::string& org_id,
                                                    std::optional<std::int64_t> only_version) = 0;
    /// Errc::not_found: there is none.
    [[nodiscard]] virtual core::Result<core::Calendar> find(const std::string& calendar_id, const std::string& org_id) = 0;
    /// By organisation and id. `org_id` empty: of all.
    [[nodiscard]] virtual core::Result<std::vector<core::Calendar>> list(const std::string& org_id) = 0;
    /// CalendarsOf, in a transaction of its own.
    [[nodiscard]] virtual core::Result<core::Calendars> of(const core::Schedule& schedule) = 0;
};

}  // namespace varde::ports
