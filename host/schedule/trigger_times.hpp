#pragma once
#include "core/error.hpp"
#include "core/schedule.hpp"
#include "time/cron.hpp"
#include "time/interval.hpp"

#include <memory>
#include <optional>
#include <variant>

namespace varde::schedule {

/// The nominal times of a schedule's trigger, compiled. Pure; immutable; thread-safe. Making one costs a few microseconds.
class TriggerTimes {
  public:
    /// Errc::invalid_argument: the trigger cannot be read, or never fires.
    [[nodiscard]] static core::Result<TriggerTimes> of(const core::Schedule& schedule);

    /// The first nominal time strictly after an instant. nullopt: none, or (event, after, manual, fixed delay) not before something
    /// happens. The schedule's starts_at and ends_at are kept to.
    [[nodiscard]] std::optional<core::Instant> next(core::Instant after) const;
    /// The distance of two slots, for the default of misfire_grace: an interval's period, else from the slot after `at` to the one after
    /// it. nullopt if there are not two.
    [[nodiscard]] std::optional<core::Microseconds> period(core::Instant at) const;
    /// How much later than its nominal time a slot starts: the same for every host and every attempt; less than the distance to the next
    /// slot, so that slots keep their order.
    [[nodiscard]] core::Microseconds jitter(core::Instant nominal) const;

    struct Wall {
        time::CronSpec spec;
        std::shared_ptr<const time::ZoneOffsets> zone;
    };
    /// For previews: nullptr unless the trigger is a cron expression.
    [[nodiscard]] const Wall* wall() const { return std::get_if<Wall>(&source_); }

  private:
    using Source = std::variant<std::monostate, Wall, time::Interval, core::Instant>;
    TriggerTimes(Source source, const core::Schedule& schedule);
    [[nodiscard]] std::optional<core::Instant> unbounded(core::Instant after) const;

    Source source_;
    std::optional<core::Instant> starts_at_;
    std::optional<core::Instant> ends_at_;
    core::Microseconds jitter_;
    std::uint64_t seed_;  ///< of the schedule's id
};

/// A number from a text that never changes: FNV-1a (64 bit), mixed as the H of cron expressions is (time/README.md).
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

}  // namespace varde::schedule
