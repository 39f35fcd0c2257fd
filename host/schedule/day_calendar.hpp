#pragma once
#include "core/calendar.hpp"
#include "core/schedule.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace varde::schedule {

/// The days on which a schedule runs: its calendars put together by its rule. Pure; immutable; thread-safe.
///
/// A calendar that the rule names and that is not among those given is a set without a day: excluding it excludes nothing, and a schedule
/// that includes nothing else runs on no day, each slot with a record that says so.
class DayCalendar {
  public:
    DayCalendar() = default;  ///< every day
    DayCalendar(const core::CalendarRule& rule, const core::Calendars& calendars);

    /// False: every day is allowed.
    [[nodiscard]] bool restricts() const { return restricts_; }
    [[nodiscard]] bool allows(std::chrono::local_days day) const;
    /// Why a day is not allowed: "calendar 'Public holidays' excludes 2026-12-25". Empty if it is.
    [[nodiscard]] std::string why_not(std::chrono::local_days day) const;

  private:
    bool restricts_ = false;
    bool includes_some_ = false;
    core::Calendars include_;
    core::Calendars exclude_;
    std::vector<std::string> names_;    ///< of those that the rule includes, for people
    std::vector<std::string> missing_;  ///< ids that nobody has given
};

}  // namespace varde::schedule
