#include "config/calendar_definition.hpp"

#include "config/json_section.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using core::Calendar;
using core::DayRange;
using core::Errc;
using core::Result;
using nlohmann::json;
using nlohmann::ordered_json;
using std::chrono::day;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2199;

struct Weekday {
    std::string_view name;
    unsigned bit;  ///< 0 is Sunday
};
constexpr std::array<Weekday, 7> kWeekdays{{{"mon", 1}, {"tue", 2}, {"wed", 3}, {"thu", 4}, {"fri", 5}, {"sat", 6}, {"sun", 0}}};

/// A number of exactly so many digits.
std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
    return number;
}

void read_weekdays(JsonSection& section, Calendar& calendar) {
    std::vector<std::string> names;
    section.texts("weekdays", kWeekdays.size(), names);
    for (const auto& name : names) {
        const auto found = std::ranges::find(kWeekdays, name, &Weekday::name);
        if (found == kWeekdays.end()) {
            return section.problem("weekdays", fmt::format("'{}' is none of mon, tue, wed, thu, fri, sat, sun", name));
        }
        calendar.weekdays = static_cast<std::uint8_t>(calendar.weekdays | 1U << found->bit);
    }
}

/// The day that a text names, or a problem of that place.
std::optional<local_days> day_at(const json& value, const std::string& place, std::vector<std::string>& problems) {
    if (!value.is_string()) {
        problems.push_back(place + R"(: must be a date such as "2026-12-24", or {"first": DATE, "last": DATE})");
        return std::nullopt;
    }
    const auto read = read_date(value.get_ref<const std::string&>());
    if (read) return *read;
    problems.push_back(place + ": " + read.error().context);
    return std::nullopt;
}

std::optional<DayRange> range_at(const json& value, const std::string& place, std::vector<std::string>& problems) {
    if (!value.is_object()) {
        const auto only = day_at(value, place, problems);
        return only ? std::optional{DayRange{*only, *only}} : std::nullopt;
    }
    JsonSection section{value, place, problems};
    std::optional<local_days> first;
    std::optional<local_days> last;
    for (auto [key, out] : {std::pair{"first", &first}, std::pair{"last", &last}}) {
        if (const auto* const text = section.any(key)) {
            *out = day_at(*text, fmt::format("{}.{}", place, key), problems);
        } else {
            section.problem(key, "is missing");
        }
    }
    section.finish();
    if (!first || !last) return std::nullopt;
    if (*last < *first) {
        section.problem("last", "must not be before first");
        return std::nullopt;
    }
    return DayRange{*first, *last};
}

void read_dates(JsonSection& section, Calendar& calendar, std::vector<std::string>& problems) {
    const auto* const dates = section.any("dates");
    if (dates == nullptr) return;
    if (!dates->is_array() || dates->size() > Calendar::kMostRanges) {
        return section.problem("dates", fmt::format("must be a list of at most {} dates and ranges", Calendar::kMostRanges));
    }
    constexpr std::size_t kMostProblems = 10;
    for (std::size_t i = 0; i < dates->size() && problems.size() < kMostProblems; ++i) {
        if (const auto range = range_at((*dates)[i], fmt::format("dates[{}]", i), problems)) calendar.days.push_back(*range);
    }
    calendar.days = joined(std::move(calendar.days));
}

}  // namespace

bool is_id(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
               c == ':';
    });
}

bool in_calendar(local_days at) {
    return at >= local_days{year{kFirstYear} / 1 / 1} && at <= local_days{year{kLastYear} / 12 / 31};
}

std::string date_text(local_days at) {
    const year_month_day date{at};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

Result<local_days> read_date(std::string_view text) {
    constexpr std::size_t kLength = std::string_view{"2026-12-24"}.size();
    const auto fault = [&](const char* what) {
        return core::fail(Errc::invalid_argument, fmt::format("'{}' is {}", text.substr(0, 40), what));
    };
    if (text.size() != kLength || text[4] != '-' || text[7] != '-') return fault("no date such as 2026-12-24");
    const auto of_year = number_of(text.substr(0, 4));
    const auto of_month = number_of(text.substr(5, 2));
    const auto of_day = number_of(text.substr(8, 2));
    if (!of_year || !of_month || !of_day) return fault("no date such as 2026-12-24");
    const year_month_day date{year{*of_year}, month{static_cast<unsigned>(*of_month)}, day{static_cast<unsigned>(*of_day)}};
    if (!date.ok()) return fault("no day of any calendar");
    if (!in_calendar(local_days{date})) return fault("not in 1970 to 2199");
    return local_days{date};
}

std::vector<DayRange> joined(std::vector<DayRange> list) {
    std::ranges::sort(list, {}, &DayRange::first);
    std::vector<DayRange> out;
    for (const auto& range : list) {
        if (!out.empty() && range.first <= out.back().last + days{1}) {
            out.back().last = std::max(out.back().last, range.last);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

Result<Calendar> read_calendar(const json& definition) {
    if (deeper_than(definition, kDeepest)) {
        return core::fail(Errc::invalid_argument, fmt::format("must not be nested deeper than {} levels", kDeepest));
    }
    std::vector<std::string> problems;
    Calendar calendar;
    JsonSection section{definition, "", problems};
    section.text("id", 1, 100, calendar.calendar_id);
    if (!is_id(calendar.calendar_id)) section.problem("id", "may have letters, digits and . _ - : only");
    section.text("name", 0, 200, calendar.name);
    read_weekdays(section, calendar);
    read_dates(section, calendar, problems);
    section.finish();
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    return calendar;
}

ordered_json calendar_json(const Calendar& calendar) {
    auto weekdays = ordered_json::array();
    for (const auto& weekday : kWeekdays) {
        if ((calendar.weekdays >> weekday.bit & 1U) != 0) weekdays.push_back(weekday.name);
    }
    auto dates = ordered_json::array();
    for (const auto& range : calendar.days) {
        if (range.first == range.last) {
            dates.push_back(date_text(range.first));
        } else {
            dates.push_back({{"first", date_text(range.first)}, {"last", date_text(range.last)}});
        }
    }
    return {
        {"id", calendar.calendar_id}, {"name", calendar.name}, {"weekdays", std::move(weekdays)}, {"dates", std::move(dates)}};
}

}  // namespace varde::config
