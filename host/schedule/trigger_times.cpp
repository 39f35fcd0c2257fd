#include "schedule/trigger_times.hpp"

#include "schedule/rolled_times.hpp"

#include <algorithm>

namespace varde::schedule {
namespace {

using core::Instant;
using core::Microseconds;
using core::TriggerKind;

std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdULL;
    return value ^ (value >> 33);
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return mixed(hash);
}

TriggerTimes::TriggerTimes(Source source, const core::Schedule& schedule, const core::Calendars& calendars)
    : source_{std::move(source)},
      days_{schedule.policy.calendars, calendars},
      roll_{schedule.policy.calendars.roll},
      starts_at_{schedule.policy.starts_at},
      ends_at_{schedule.policy.ends_at},
      jitter_{schedule.policy.jitter},
      seed_{stable_hash(schedule.schedule_id)} {}

core::Result<TriggerTimes> TriggerTimes::of(const core::Schedule& schedule, const core::Calendars& calendars) {
    const auto& trigger = schedule.trigger;
    if (trigger.kind == TriggerKind::cron) {
        auto zone = time::ZoneOffsets::find(trigger.zone);
        if (!zone)
            return core::fail(core::Errc::invalid_argument, "trigger.timezone: there is no IANA zone '" + trigger.zone + "'");
        time::CronOptions options;
        options.day_match = trigger.day_match;
        options.gap = trigger.gap;
        options.overlap = trigger.overlap;
        options.hash_key = schedule.schedule_id;
        const auto spec = time::CronSpec::parse(trigger.expression, options);
        if (!spec) return core::fail(core::Errc::invalid_argument, "trigger.cron: " + spec.error().context);
        if (!spec->fires())
            return core::fail(core::Errc::invalid_argument, "trigger.cron: '" + trigger.expression + "' never fires");
        return TriggerTimes{Wall{*spec, std::move(zone)}, schedule, calendars};
    }
    if (trigger.kind == TriggerKind::interval && !trigger.after_completion) {
        auto anchor = trigger.anchor.value_or(Instant{});
        if (!trigger.anchor && schedule.policy.starts_at) anchor = *schedule.policy.starts_at;
        // Else a phase of its own, so that a thousand schedules of one minute do not all start at its full second.
        if (!trigger.anchor && !schedule.policy.starts_at && trigger.period.count() > 0) {
            anchor += Microseconds{static_cast<std::int64_t>(stable_hash(schedule.schedule_id) %
                                                             static_cast<std::uint64_t>(trigger.period.count()))};
        }
        auto interval = time::Interval::make(trigger.period, anchor);
        if (!interval) return core::fail(core::Errc::invalid_argument, "trigger.every: " + interval.error().context);
        return TriggerTimes{*interval, schedule, calendars};
    }
    if (trigger.kind == TriggerKind::once) return TriggerTimes{trigger.at, schedule, calendars};
    return TriggerTimes{std::monostate{}, schedule, calendars};
}

std::optional<Instant> TriggerTimes::unbounded(Instant after) const {
    if (const auto* const wall = std::get_if<Wall>(&source_)) {
        if (rolls()) return RolledTimes{wall->spec, *wall->zone, days_, roll_}.next(after);
        return wall->spec.next(after, *wall->zone);
    }
    if (const auto* const interval = std::get_if<time::Interval>(&source_)) return interval->next(after);
    if (const auto* const at = std::get_if<Instant>(&source_); at != nullptr && *at > after) return *at;
    return std::nullopt;
}

std::chrono::local_days TriggerTimes::day_of(Instant slot) const {
    if (const auto* const on = wall()) return local_day(slot, *on->zone);
    return std::chrono::local_days{std::chrono::floor<std::chrono::days>(slot).time_since_epoch()};
}

std::vector<std::chrono::local_days> TriggerTimes::days_of(Instant slot) const {
    return RolledTimes{wall()->spec, *wall()->zone, days_, roll_}.days_of(slot);
}

std::chrono::local_days TriggerTimes::target_of(std::chrono::local_days day) const {
    return RolledTimes{wall()->spec, *wall()->zone, days_, roll_}.target_of(day);
}

std::optional<Instant> TriggerTimes::next(Instant after) const {
    if (starts_at_) after = std::max(after, *starts_at_ - Microseconds{1});
    const auto found = unbounded(after);
    if (found && ends_at_ && *found >= *ends_at_) return std::nullopt;
    return found;
}

std::optional<Microseconds> TriggerTimes::period(Instant at) const {
    if (const auto* const interval = std::get_if<time::Interval>(&source_)) return interval->period();
    const auto first = unbounded(at);
    const auto second = first ? unbounded(*first) : std::nullopt;
    if (!second) return std::nullopt;
    return *second - *first;
}

Microseconds TriggerTimes::jitter(Instant nominal) const {
    if (jitter_.count() <= 0) return Microseconds{0};
    auto most = jitter_;
    if (const auto following = unbounded(nominal)) most = std::min(most, *following - nominal);
    if (most.count() <= 0) return Microseconds{0};
    const auto hash = mixed(seed_ ^ mixed(static_cast<std::uint64_t>(core::to_us(nominal))));
    return Microseconds{static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(most.count()))};
}

}  // namespace varde::schedule
