#pragma once
#include "time/cron.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// An independent, slow answer to "when does it fire": every minute or second of a stretch of time is looked at, with Abseil's own
/// idea of the zone and with sets that were made together with the text, not read from it.
namespace varde::cron_scan {

struct RandomCron {
    std::string text;
    std::vector<bool> seconds, minutes, hours, days, months, weekdays;  ///< [value]
    bool any_day = false;
    bool any_weekday = false;
    bool any_hour = false;
    bool repeats_in_day = false;
};

/// 5 fields, or 6 with the second first.
[[nodiscard]] RandomCron random_cron(std::mt19937_64& random, bool with_seconds);

/// The wall clock of a zone, step by step.
class Stretch {
  public:
    /// From `begin`, `steps` steps of 60 s or 1 s.
    Stretch(const std::string& zone, core::Instant begin, std::int64_t steps, std::int64_t step_seconds);
    /// Every fire in the stretch, in seconds since 1970.
    [[nodiscard]] std::vector<std::int64_t> fires(const RandomCron& cron) const;
    [[nodiscard]] std::int64_t begin() const { return begin_; }
    [[nodiscard]] std::int64_t end() const { return begin_ + static_cast<std::int64_t>(moments_.size()) * step_; }
    [[nodiscard]] std::int64_t step() const { return step_; }

  private:
    struct Moment {
        std::int32_t second_of_day;
        std::int16_t day;  ///< of days_
        bool second_pass;
    };
    struct Day {
        std::uint8_t month, day, weekday;
    };
    struct Gap {
        std::size_t moment;             ///< the first after the gap
        std::vector<Moment> not_shown;  ///< the wall times in it
    };
    Moment moment_of(std::int64_t wall);

    std::int64_t begin_;
    std::int64_t step_;
    std::int64_t first_day_;
    std::vector<Day> days_;
    std::vector<Moment> moments_;
    std::vector<Gap> gaps_;  ///< of at most three hours
};

/// Asks next() for every fire of the stretch and from `probes` random instants. The first difference in words; empty: none.
/// `slowest_ns` is raised to the longest next().
[[nodiscard]] std::string difference(const RandomCron& cron, const Stretch& stretch, const time::ZoneOffsets& zone,
                                     std::mt19937_64& random, int probes, std::int64_t& slowest_ns);

}  // namespace varde::cron_scan
