#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"

#include <string>
#include <string_view>

namespace varde::time {

/// Reads ISO 8601 with a zone: 2026-01-15T12:00:00[.1-6 digits](Z|+hh:mm|+hhmm|+hh), 'T' or one blank, seconds optional. Digits past
/// microseconds are refused unless zero. Years 1..9999. A naive, impossible (31 April, 24:00, leap second) or unreadable time is
/// Errc::invalid_argument; the context says what is wrong with it, without a field name.
[[nodiscard]] core::Result<core::Instant> parse_utc(std::string_view text);

/// 2026-01-15T12:00:00Z, with six decimals only when they are not zero.
[[nodiscard]] std::string format_utc(core::Instant at);

/// 2026-01-15T12:00:00+00:00, as the reference writes times inside evidence.
[[nodiscard]] std::string format_utc_offset(core::Instant at);

}  // namespace varde::time
