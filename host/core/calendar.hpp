#pragma once
#include "core/instant.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace varde::core {

/// Days of some clock on a wall, from the first to the last, both included.
struct DayRange {
    std::chrono::local_days first{};
    std::chrono::local_days last{};
    friend bool operator==(const DayRange&, const DayRange&) = default;
};

/// A named set of days. It knows no time zone: on which day an instant lies is for the clock of the schedule to say.
struct Calendar {
    static constexpr std::size_t kMostRanges = 5'000;

    std::string calendar_id;  ///< 1..100 of A-Z a-z 0-9 . _ - :, once in its organisation
    std::string org_id = "default";
    std::string name;            ///< for people, 0..200 characters
    std::uint8_t weekdays = 0;   ///< bit n: every such weekday; 0 is Sunday
    std::vector<DayRange> days;  ///< 1970-01-01 .. 2199-12-31, ascending, none meets or touches the next; at most kMostRanges
    std::int64_t version = 1;    ///< raised by every change
    Instant created_at{};
    Instant updated_at{};

    [[nodiscard]] bool contains(std::chrono::local_days day) const;
    friend bool operator==(const Calendar&, const Calendar&) = default;
};

/// Some of an organisation; shared, since a thousand schedules may use the same one.
using Calendars = std::vector<std::shared_ptr<const Calendar>>;

}  // namespace varde::core
