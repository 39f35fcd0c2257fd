#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"

#include <string_view>

namespace varde::config {

/// Reads the all-day events of an iCalendar file (RFC 5545, UTF-8) as the days of a calendar, without id; the name is X-WR-CALNAME.
/// Repeating events (RRULE, RDATE, EXDATE) are repeated up to 2199; cancelled ones count for nothing. Thread-safe. Errc::invalid_argument:
/// the text is no iCalendar, or has an event that is no set of whole days (it is named), or more than Calendar::kMostRanges of them, or
/// more than 100 events that repeat.
[[nodiscard]] core::Result<core::Calendar> read_ics(std::string_view text);

}  // namespace varde::config
