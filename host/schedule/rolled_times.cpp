#include "schedule/rolled_times.hpp"

#include <algorithm>

namespace varde::schedule {
namespace {

using core::Instant;
using std::chrono::days;
using std::chrono::local_days;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kMicros = 1'000'000;

std::int64_t wall_of(local_days day) { return std::int64_t{day.time_since_epoch().count()} * kDay; }

std::int64_t second_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

local_days day_at(std::int64_t second, const time::ZoneOffsets& zone) {
    const std::chrono::local_seconds wall{std::chrono::seconds{second + zone.spans()[zone.span_at(second)].offset}};
    return std::chrono::floor<days>(wall);
}

}  // namespace

local_days local_day(Instant at, const time::ZoneOffsets& zone) { return day_at(second_of(at), zone); }

/// Targets of days that are asked for in order: a long run of excluded days is walked once, not once for each of them.
class RolledTimes::Targets {
  public:
    explicit Targets(const RolledTimes& times) : times_{times} {}

    local_days of(local_days day) {
        if (times_.days_.allows(day)) {
            known_ = true;
            target_ = day;
        } else if (times_.forward_) {
            // The one before moved to a day behind this one: so does this one.
            if (!known_ || target_ < day) find_forward(day);
        } else {
            find_backward(day);
        }
        source_ = day;
        return known_ ? target_ : day;
    }

  private:
    void find_forward(local_days day) {
        for (auto at = day + days{1}; at <= day + kFarthest; at += days{1}) {
            known_ = times_.days_.allows(at);
            if (known_) return void(target_ = at);
        }
        known_ = false;
    }
    void find_backward(local_days day) {
        for (auto at = day - days{1}; at >= day - kFarthest; at -= days{1}) {
            if (at == source_) break;  // from there on it is known
            if (times_.days_.allows(at)) {
                known_ = true;
                return void(target_ = at);
            }
        }
        known_ = known_ && target_ >= day - kFarthest;
    }

    const RolledTimes& times_;
    local_days source_ = local_days::min();  ///< the day asked for last; min: none
    local_days target_{};
    bool known_ = false;  ///< `target_` is that of source_
};

local_days RolledTimes::target_of(local_days day) const { return Targets{*this}.of(day); }

/// The first day from `from` on that the expression has a time on.
std::optional<local_days> RolledTimes::nominal_day(local_days from) const {
    const auto wall = spec_.next_wall(wall_of(from), time::kLastYear);
    if (wall == time::CronSpec::kNever) return std::nullopt;
    return std::chrono::floor<days>(std::chrono::local_seconds{std::chrono::seconds{wall}});
}

/// Before it there is no day whose times come on `target` or later.
local_days RolledTimes::earliest_source(local_days target) const {
    auto day = target;
    if (!forward_) return day;
    while (target - day < kFarthest && !days_.allows(day - days{1})) day -= days{1};
    return day;
}

/// The first second after `after` at which a time of the day `source` comes on the day `target`.
std::optional<std::int64_t> RolledTimes::first_on(local_days source, local_days target, std::int64_t after) const {
    const auto shift = wall_of(target) - wall_of(source);
    const auto from = wall_of(source);
    const auto until = from + kDay;
    const auto& spans = zone_.spans();
    for (auto place = zone_.span_at(wall_of(target) - kDay); place < spans.size(); ++place) {
        const auto& span = spans[place];
        if (span.begin > wall_of(target) + 2 * kDay) break;
        if (span.begin > after && spec_.fills(span)) {
            const auto lost = spec_.next_wall(std::max(from, span.begin + span.before - shift), time::kLastYear);
            if (lost < std::min(until, span.begin + span.offset - shift)) return span.begin;
        }
        auto low = std::max(from, std::max(after + 1, span.begin) + span.offset - shift);
        if (!spec_.fires_in_second_pass()) low = std::max(low, span.begin + span.before - shift);
        auto high = span.end + span.offset - shift;
        if (!spec_.fires_in_first_pass() && place + 1 < spans.size()) high -= spans[place + 1].overlap();
        high = std::min(high, until);
        if (low >= high) continue;
        const auto wall = spec_.next_wall(low, time::kLastYear);
        if (wall < high) return wall + shift - span.offset;
    }
    return std::nullopt;
}

std::optional<Instant> RolledTimes::next(Instant after) const {
    const auto second = std::max(second_of(after), time::kCalendarStart - 1);
    if (!spec_.fires() || second >= time::kCalendarEnd) return std::nullopt;
    // A day early, and a day more at the end: times near midnight may come on the other side of it where clocks are changed.
    const auto start = day_at(second, zone_) - days{1};
    Targets targets{*this};
    std::optional<std::int64_t> best;
    for (auto source = nominal_day(earliest_source(start)); source; source = nominal_day(*source + days{1})) {
        const auto target = targets.of(*source);
        if (best && target > day_at(*best, zone_) + days{1}) break;
        if (target < start) continue;
        const auto found = first_on(*source, target, second);
        if (found && (!best || *found < *best)) best = found;
    }
    if (!best) return std::nullopt;
    return core::instant_from_us(*best * kMicros);
}

std::vector<local_days> RolledTimes::days_of(Instant at) const {
    std::vector<local_days> found;
    const auto second = second_of(at);
    const auto own = day_at(second, zone_);
    Targets targets{*this};
    for (auto source = nominal_day(earliest_source(own - days{1})); source; source = nominal_day(*source + days{1})) {
        const auto target = targets.of(*source);
        if (target > own + days{1}) break;
        if (target >= own - days{1} && first_on(*source, target, second - 1) == second) found.push_back(*source);
    }
    return found;
}

}  // namespace varde::schedule
