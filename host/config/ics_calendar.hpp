#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"

#include <string_view>

namespace varde::config {

/// Reads the all-day events of an iCalendar file (RFC 5545, UTF-8) as the days of a calendar, without id; the name is X-WR-CALNAME.
/// Repeating events (RRULE, RDATE, EXDATE) are repeated up to 2199; cancelled ones count for nothing. Errc::invalid_argument: the text is
/// no iCalendar, or has an event that is no set of whole days, or more than Calendar::kMostRanges of them; it names the event.
[[nodiscard]] core::Result<core::Calendar> read_ics(std::string_view text);

}  // namespace varde::config
