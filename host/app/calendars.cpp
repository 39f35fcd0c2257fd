#include "api/schedule_text.hpp"
#include "app/desk_session.hpp"
#include "app/json_output.hpp"
#include "config/calendar_definition.hpp"
#include "config/file_text.hpp"
#include "config/ics_calendar.hpp"

#include <iostream>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Calendar;
using core::Errc;
using core::Result;

std::string org_of(const CalendarsOptions& options) { return options.org.empty() ? Calendar{}.org_id : options.org; }

Result<std::string> text_of(const std::string& file) {
    if (file != "-") return config::file_text(file);
    return std::string{std::istreambuf_iterator<char>{std::cin}, {}};
}

/// iCalendar or JSON: what it begins with tells.
Result<Calendar> read_text(const std::string& text) {
    const auto start = text.find_first_not_of("\xEF\xBB\xBF \t\r\n");
    if (start != std::string::npos && text.compare(start, 6, "BEGIN:") == 0) return config::read_ics(text.substr(start));
    const auto definition = nlohmann::json::parse(text, nullptr, false);
    if (definition.is_discarded()) return core::fail(Errc::invalid_argument, "is neither JSON nor iCalendar");
    return config::read_calendar(definition);
}

/// The calendar of a file, with the id that was asked for.
Result<Calendar> read_file(const CalendarsOptions& options) {
    const auto text = text_of(options.file);
    if (!text) return tl::unexpected{text.error()};
    const auto name = options.file == "-" ? std::string{"standard input"} : options.file;
    auto calendar = read_text(*text);
    if (!calendar) return core::fail(Errc::invalid_argument, fmt::format("{}: {}", name, calendar.error().context));
    if (!options.id.empty()) calendar->calendar_id = options.id;
    if (calendar->calendar_id.empty() || calendar->calendar_id.size() > 100 || !config::is_id(calendar->calendar_id)) {
        return core::fail(Errc::invalid_argument,
                          fmt::format("{}: id: must have 1 to 100 of A-Z a-z 0-9 . _ - : (or give --id)", name));
    }
    calendar->org_id = org_of(options);
    return calendar;
}

void print_line(const Calendar& calendar) {
    fmt::print("{:<24} {:<12} version {:<4} {} ranges of dates{}{}{}\n", calendar.calendar_id, calendar.org_id, calendar.version,
               calendar.days.size(), calendar.weekdays != 0 ? " and weekdays" : "", calendar.name.empty() ? "" : "  ",
               calendar.name);
}

}  // namespace

int calendars_list(const Globals& globals, const CalendarsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto rows = session.calendars.list(options.org);
        if (!rows) return report(rows.error());
        for (const auto& row : *rows) globals.json ? print_json(api::calendar_row_json(row)) : print_line(row);
        if (rows->empty() && !globals.json) fmt::print("there is no calendar\n");
        return kOk;
    });
}

int calendars_show(const Globals& globals, const CalendarsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto calendar = session.calendars.find(options.id, org_of(options));
        if (!calendar) return report(calendar.error());
        if (globals.json) {
            print_json(api::calendar_row_json(*calendar));
            return kOk;
        }
        print_line(*calendar);
        fmt::print("{}\n", config::calendar_json(*calendar).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return kOk;
    });
}

int calendars_import(const Globals& globals, const CalendarsOptions& options) {
    const auto calendar = read_file(options);
    if (!calendar) return report(calendar.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto stored = session.calendars.put(*calendar, std::nullopt, options.by);
        if (!stored) return report(stored.error());
        globals.json ? print_json(api::calendar_row_json(*stored)) : print_line(*stored);
        return kOk;
    });
}

int calendars_remove(const Globals& globals, const CalendarsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto removed = session.calendars.remove(options.id, org_of(options), std::nullopt, options.by);
        if (!removed) return report(removed.error());
        if (globals.json) {
            print_json({{"id", options.id}, {"removed", true}});
        } else {
            fmt::print("calendar {} removed\n", options.id);
        }
        return kOk;
    });
}

}  // namespace varde::app
