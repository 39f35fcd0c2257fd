#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/trigger.hpp"
#include "time/cron_fields.hpp"
#include "time/zone_offsets.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varde::time {

using core::DayMatch;
using core::GapPolicy;
using core::OverlapPolicy;

struct CronOptions {
    CronDialect dialect = CronDialect::any;
    DayMatch day_match = DayMatch::either;
    GapPolicy gap = GapPolicy::run_once;
    OverlapPolicy overlap = OverlapPolicy::automatic;
    std::string hash_key;  ///< for H: the id of the schedule
};

/// A cron expression, compiled into bit sets. Immutable, thread-safe, 200 bytes and no heap.
///
/// next() is the first fire strictly after an instant; fires are on whole seconds. It allocates nothing and its work is bounded: an
/// expression that matches no day of the calendar says so in fires(), and the longest wait of any other one without a year is 40 years
/// (29 February on a given weekday, across 1900 or 2100), so at most kHorizonYears of months are looked at. Wall times of zones with
/// daylight saving follow GapPolicy and OverlapPolicy; a jump of more than three hours (a day that a country left out) adds nothing.
/// Fires lie between 1900 and 2199.
class CronSpec {
  public:
    static constexpr std::int64_t kLongestFilledGap = 3 * 3600;  ///< seconds
    static constexpr int kHorizonYears = 80;  ///< twice the longest wait: one fire in between may fall into a gap

    [[nodiscard]] static core::Result<CronSpec> parse(std::string_view text, const CronOptions& options = {});

    /// nullopt: nothing more is due.
    [[nodiscard]] std::optional<core::Instant> next(core::Instant after, const ZoneOffsets& zone) const;

    /// False if no day of any year has it (30 February; 31 April; the 1st that is a second Sunday), whatever the zone.
    [[nodiscard]] bool fires() const { return fires_; }
    /// Whether nominal times in this gap become a fire at its end. What was in the gap is for next_wall() to say.
    [[nodiscard]] bool fills(const OffsetSpan& span) const;
    /// Whether times of the first, or of the second, pass of an overlap fire.
    [[nodiscard]] bool fires_in_first_pass() const { return first_pass_; }
    [[nodiscard]] bool fires_in_second_pass() const { return second_pass_; }
    [[nodiscard]] bool any_hour() const { return any_hour_; }

    static constexpr std::int64_t kNever = INT64_MAX;
    /// The first nominal wall time at or after `wall` (seconds since 1970 of a clock that never jumps) up to the end of `last_year`.
    [[nodiscard]] std::int64_t next_wall(std::int64_t wall, int last_year) const;

  private:
    CronSpec(const CronFields& fields, const CronOptions& options);
    [[nodiscard]] std::int32_t time_from(std::int32_t second_of_day) const;
    [[nodiscard]] std::uint32_t days_of(int year, unsigned month, unsigned first_weekday, unsigned length) const;

    std::array<std::array<std::uint32_t, 4>, 7> days_;  ///< [weekday of the 1st][length - 28] -> bits 1..31
    std::uint64_t seconds_;
    std::uint64_t minutes_;
    decltype(CronFields::years) years_;
    std::uint32_t hours_;
    std::uint32_t months_;
    std::int32_t first_time_;  ///< the earliest second of a day
    bool any_year_;
    bool any_hour_;
    bool first_pass_;
    bool second_pass_;
    bool fill_gaps_;
    bool fires_;
};

}  // namespace varde::time
