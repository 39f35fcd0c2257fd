#pragma once
#include "core/instant.hpp"
#include "core/schedule.hpp"
#include "schedule/trigger_times.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace varde::schedule {

/// Some slots that share a fate.
struct SlotRange {
    std::int64_t count = 0;
    core::Instant first{};  ///< nominal time of the oldest; if count > 0
    core::Instant last{};
    bool more = false;  ///< there are further ones between, uncounted

    void add(core::Instant slot) {
        if (count++ == 0) first = slot;
        last = slot;
    }
};

/// The slots from a cursor up to now, by the real schedule and never by an average distance.
struct DueSlots {
    SlotRange late;                            ///< older than the grace
    SlotRange timely;                          ///< not older than the grace
    SlotRange outside_window;                  ///< of neither kind: outside of the execution window
    SlotRange excluded;                        ///< of neither kind: on days that the calendars exclude
    std::vector<core::Instant> newest_late;    ///< the newest `keep` of them, ascending
    std::vector<core::Instant> newest_timely;  ///< the same
    std::optional<core::Instant> next;         ///< the first slot after now
};

/// How many slots are enumerated one by one. Of more, the newest are found by search, and those between are not counted.
inline constexpr std::int64_t kMostCounted = 20'000;

/// `first`: the nominal time at the cursor, at or before `now`, taken as it is. `keep`: 1..10000.
[[nodiscard]] DueSlots due_slots(const core::Schedule& schedule, const TriggerTimes& times, core::Instant first,
                                 core::Instant now, std::size_t keep);

/// The schedule's misfire_grace, or its default: one period, at least a minute, at most an hour.
[[nodiscard]] core::Microseconds grace_of(const core::Schedule& schedule, const TriggerTimes& times, core::Instant at);

}  // namespace varde::schedule
