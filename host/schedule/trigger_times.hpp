#pragma once
#include "core/error.hpp"
#include "core/schedule.hpp"
#include "schedule/day_calendar.hpp"
#include "time/cron.hpp"
#include "time/interval.hpp"

#include <memory>
#include <optional>
#include <variant>

namespace varde::schedule {

/// The nominal times of a schedule's trigger, compiled with its calendars. Pure; immutable; thread-safe. Making one costs a few
/// microseconds.
class TriggerTimes {
  public:
    /// `calendars`: those that the schedule names; one that is not among them is empty (DayCalendar). Errc::invalid_argument: the trigger
    /// cannot be read, or never fires.
    [[nodiscard]] static core::Result<TriggerTimes> of(const core::Schedule& schedule, const core::Calendars& calendars = {});

    /// The first nominal time strictly after an instant. nullopt: none, or (event, after, manual, fixed delay) not before something
    /// happens. The schedule's starts_at and ends_at are kept to.
    [[nodiscard]] std::optional<core::Instant> next(core::Instant after) const;
    /// The distance of two slots, for the default of misfire_grace: an interval's period, else from the slot after `at` to the one after
    /// it. nullopt if there are not two.
    [[nodiscard]] std::optional<core::Microseconds> period(core::Instant at) const;
    /// How much later than its nominal time a slot starts: the same for every host and every attempt; less than the distance to the next
    /// slot, so that slots keep their order.
    [[nodiscard]] core::Microseconds jitter(core::Instant nominal) const;

    /// Whether times of excluded days move to other days, and next() tells of them there.
    [[nodiscard]] bool rolls() const { return roll_ != core::CalendarRoll::skip && wall() != nullptr && days_.restricts(); }
    /// Whether calendars allow the day that the slot lies on. Without a cron trigger that is a day of UTC.
    [[nodiscard]] bool allows(core::Instant slot) const { return !days_.restricts() || days_.allows(day_of(slot)); }
    /// Why they do not; empty if they do.
    [[nodiscard]] std::string why_not(core::Instant slot) const { return days_.why_not(day_of(slot)); }
    /// The days whose times come at that slot, ascending. Only if rolls().
    [[nodiscard]] std::vector<std::chrono::local_days> days_of(core::Instant slot) const;
    /// Where the wall times of a day come. Only if rolls().
    [[nodiscard]] std::chrono::local_days target_of(std::chrono::local_days day) const;
    [[nodiscard]] const DayCalendar& days() const { return days_; }
    [[nodiscard]] std::chrono::local_days day_of(core::Instant slot) const;

    struct Wall {
        time::CronSpec spec;
        std::shared_ptr<const time::ZoneOffsets> zone;
    };
    /// For previews: nullptr unless the trigger is a cron expression.
    [[nodiscard]] const Wall* wall() const { return std::get_if<Wall>(&source_); }

  private:
    using Source = std::variant<std::monostate, Wall, time::Interval, core::Instant>;
    TriggerTimes(Source source, const core::Schedule& schedule, const core::Calendars& calendars);
    [[nodiscard]] std::optional<core::Instant> unbounded(core::Instant after) const;

    Source source_;
    DayCalendar days_;
    core::CalendarRoll roll_;
    std::optional<core::Instant> starts_at_;
    std::optional<core::Instant> ends_at_;
    core::Microseconds jitter_;
    std::uint64_t seed_;  ///< of the schedule's id
};

/// A number from a text that never changes: FNV-1a (64 bit), mixed as the H of cron expressions is (time/README.md).
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

}  // namespace varde::schedule
