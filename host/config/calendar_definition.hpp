#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

/// Calendars as people write them (docs/schedules.md): over HTTP, in files, and in the database.
namespace varde::config {

/// Reads {id, name, weekdays, dates}; a date is "2026-12-24" or {"first": "2026-12-25", "last": "2027-01-01"}. Dates may come in any order
/// and overlap. Errc::invalid_argument names the places, all at once: "dates[3].last: must not be before first".
[[nodiscard]] core::Result<core::Calendar> read_calendar(const nlohmann::json& definition);

/// The definition in full, weekdays from Monday, dates ascending: read_calendar() of it gives the same calendar.
[[nodiscard]] nlohmann::ordered_json calendar_json(const core::Calendar& calendar);

/// In order, and those that meet or touch made one.
[[nodiscard]] std::vector<core::DayRange> joined(std::vector<core::DayRange> list);

/// Whether a calendar can hold the day: 1970 to 2199.
[[nodiscard]] bool in_calendar(std::chrono::local_days at);

/// "2026-12-24", and back. Errc::invalid_argument: the text is none, or there is no such day, or it is out of range.
[[nodiscard]] std::string date_text(std::chrono::local_days at);
[[nodiscard]] core::Result<std::chrono::local_days> read_date(std::string_view text);

/// Whether a text can be the id of a schedule or a calendar, but for its length.
[[nodiscard]] bool is_id(std::string_view text);

}  // namespace varde::config
