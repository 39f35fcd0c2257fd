#pragma once
#include "core/instant.hpp"
#include "core/schedule.hpp"
#include "schedule/day_calendar.hpp"
#include "time/cron.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace varde::schedule {

/// The fires of a cron expression whose excluded days move: the wall times of such a day come on the next, or the previous, day that is
/// allowed, at the same time of day. Where clocks are put forward or back on that day, the expression's own policies decide, as for its
/// own times. Two that fall on one instant are one. A day that has no allowed day within kFarthest stays where it is, and is left out.
///
/// A view of its parts, for one search; pure. The work of next() is bounded by the nominal days in kFarthest.
class RolledTimes {
  public:
    static constexpr std::chrono::days kFarthest{366};

    /// All outlive this. `roll`: next or previous.
    RolledTimes(const time::CronSpec& spec, const time::ZoneOffsets& zone, const DayCalendar& days, core::CalendarRoll roll)
        : spec_{spec}, zone_{zone}, days_{days}, forward_{roll == core::CalendarRoll::next} {}

    /// The first one strictly after an instant. nullopt: nothing more is due.
    [[nodiscard]] std::optional<core::Instant> next(core::Instant after) const;

    /// The days whose times come at that instant, ascending: its own day, others, or both. Empty: it is no fire.
    [[nodiscard]] std::vector<std::chrono::local_days> days_of(core::Instant at) const;

    /// The day on which the times of `day` come.
    [[nodiscard]] std::chrono::local_days target_of(std::chrono::local_days day) const;

  private:
    class Targets;
    [[nodiscard]] std::optional<std::chrono::local_days> nominal_day(std::chrono::local_days from) const;
    [[nodiscard]] std::chrono::local_days earliest_source(std::chrono::local_days target) const;
    [[nodiscard]] std::optional<std::int64_t> first_on(std::chrono::local_days source, std::chrono::local_days target,
                                                       std::int64_t after) const;

    const time::CronSpec& spec_;
    const time::ZoneOffsets& zone_;
    const DayCalendar& days_;
    bool forward_;
};

/// The day that clocks of the zone show at an instant.
[[nodiscard]] std::chrono::local_days local_day(core::Instant at, const time::ZoneOffsets& zone);

}  // namespace varde::schedule
