/// Hours of the local clock as parameters give them: "the night is 22 to 7".
///
///     night_ = home::read_hours(params, "night", 22, 7, home::EqualHours::never);     // night_start_hour, night_end_hour
///     activity_ = night_.read(setup, zone_, varde::Day::containing, categories);      // the events of one night
///     if (night_.hold(window, zone_, row.time())) ...
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <varde/rule.hpp>

namespace varde::home {

/// The first instant after `after` at which the local clock shows `hour`:00, or jumps over it in spring. An unknown zone counts as UTC.
/// `after` is at most a day later than the window or its events: further than that a window does not know its zone.
[[nodiscard]] inline Instant next_local_hour(const Window& window, Zone zone, Instant after, int64_t hour) {
    constexpr microseconds kDay = hours(24), kTick = microseconds(1);
    const auto ahead = [&](microseconds from, microseconds to) { return (to - from + kDay) % kDay; };
    const auto shown_after = [&](Instant at) {
        return at + ahead(window.local_time_of_day(zone, at) + kTick, hours(hour)) + kTick;
    };
    const varde_zone& table = window.raw().zones[zone.handle];
    // Between two changes of the zone the clock runs evenly.
    for (uint32_t i = 0; i < table.n_transitions; ++i) {
        const Instant jump = instant(table.transitions[i].at_us);
        if (jump <= after) continue;
        if (const Instant shown = shown_after(after); shown < jump) return shown;
        const microseconds before = (window.local_time_of_day(zone, after) + (jump - after)) % kDay;
        const microseconds skipped = ahead(before, window.local_time_of_day(zone, jump));
        if (skipped < kDay / 2 && ahead(before, hours(hour)) <= skipped) return jump;
        after = jump;
    }
    return shown_after(after);
}

/// What "from 22 to 22" means. The rules of the reference do not agree, so each says which.
enum class EqualHours { never, always };

/// What becomes of an hour that no clock shows. The reference refuses it in some rules; in others it is an hour that never comes.
enum class OtherHours { refused, never_come };

/// The hours [start, end) of the local clock; a start after the end spans midnight. A value; no hour until it is given some.
class LocalHours {
  public:
    LocalHours() = default;
    LocalHours(int64_t start, int64_t end, EqualHours equal) : start_(start), end_(end) {
        for (int64_t hour = 0; hour < kHours; ++hour)
            if (start == end ? equal == EqualHours::always : between(hour)) held_ |= 1u << hour;
    }

    [[nodiscard]] int64_t start() const { return start_; }
    [[nodiscard]] int64_t end() const { return end_; }

    [[nodiscard]] bool hold(int hour) const { return (held_ >> hour & 1u) != 0; }
    /// Is it one of these hours at `at`? An unknown zone counts as UTC.
    [[nodiscard]] bool hold(const Window& window, Zone zone, Instant at) const { return hold(window.local_hour(zone, at)); }

    /// The first instant after `after` at which hold() answers otherwise, over changes of summer time too; nothing if there is none.
    /// `after` is at most a day later than the window or its events: further than that a window does not know its zone.
    [[nodiscard]] std::optional<Instant> next_change(const Window& window, Zone zone, Instant after) const {
        if (held_ == 0 || held_ == kAll) return std::nullopt;
        const bool now = hold(window, zone, after);
        const varde_zone& table = window.raw().zones[zone.handle];
        // Between two changes of the zone the clock runs evenly; at a change it can jump over an edge.
        for (uint32_t i = 0; i < table.n_transitions; ++i) {
            const Instant jump = instant(table.transitions[i].at_us);
            if (jump <= after) continue;
            if (const Instant edge = next_edge(window, zone, after); edge < jump) return edge;
            if (hold(window, zone, jump) != now) return jump;
            after = jump;
        }
        return next_edge(window, zone, after);
    }

    /// The first instant after `after` at which a span of these hours begins.
    [[nodiscard]] Instant next_start(const Window& window, Zone zone, Instant after) const {
        return next_local_hour(window, zone, after, start_);
    }

    /// Declares the events of one such span of hours. Equal hours are a whole day here, whatever they mean to the rule.
    [[nodiscard]] Read read(Setup& setup, Zone zone, Day day, Literals categories) const {
        return setup.local_day(zone, hours(start_), hours(end_), day, std::move(categories));
    }

  private:
    static constexpr int64_t kHours = 24;
    static constexpr uint32_t kAll = (1u << kHours) - 1;

    [[nodiscard]] bool between(int64_t hour) const {
        return start_ < end_ ? start_ <= hour && hour < end_ : hour >= start_ || hour < end_;
    }
    // Needs an hour that holds and one that does not.
    [[nodiscard]] Instant next_edge(const Window& window, Zone zone, Instant after) const {
        const microseconds time = window.local_time_of_day(zone, after);
        const auto hour = time / hours(1);
        int64_t ahead = 1;
        while (hold(static_cast<int>((hour + ahead) % kHours)) == hold(static_cast<int>(hour))) ++ahead;
        return after + hours(hour + ahead) - time;
    }

    int64_t start_ = 0;
    int64_t end_ = 0;
    uint32_t held_ = 0;  // bit N: hour N
};

/// Reads NAME_start_hour and NAME_end_hour, whole numbers 0 .. 23; the reading is get_int's. An hour outside is refused by its name,
/// unless the rule says otherwise.
[[nodiscard]] inline LocalHours read_hours(const Value& params, const std::string& name, int64_t start, int64_t end,
                                           EqualHours equal, OtherHours others = OtherHours::refused) {
    const auto hour = [&](const std::string& key, int64_t fallback) {
        return others == OtherHours::refused ? params.get_int(key, fallback, 0, 23) : params.get_int(key, fallback);
    };
    return {hour(name + "_start_hour", start), hour(name + "_end_hour", end), equal};
}

}  // namespace varde::home
