#include "core/calendar.hpp"

#include <algorithm>

namespace varde::core {

bool Calendar::contains(std::chrono::local_days day) const {
    if ((weekdays >> std::chrono::weekday{day}.c_encoding() & 1U) != 0) return true;
    const auto later = std::ranges::upper_bound(days, day, {}, &DayRange::first);
    return later != days.begin() && day <= std::prev(later)->last;
}

}  // namespace varde::core
