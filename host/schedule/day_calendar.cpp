#include "schedule/day_calendar.hpp"

#include "config/calendar_definition.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace varde::schedule {
namespace {

using std::chrono::local_days;

const std::string& name_of(const core::Calendar& calendar) {
    return calendar.name.empty() ? calendar.calendar_id : calendar.name;
}

const std::shared_ptr<const core::Calendar>* find(const core::Calendars& calendars, const std::string& id) {
    const auto found = std::ranges::find_if(calendars, [&](const auto& calendar) { return calendar->calendar_id == id; });
    return found == calendars.end() ? nullptr : &*found;
}

bool holds(const core::Calendars& calendars, local_days day) {
    return std::ranges::any_of(calendars, [&](const auto& calendar) { return calendar->contains(day); });
}

}  // namespace

DayCalendar::DayCalendar(const core::CalendarRule& rule, const core::Calendars& calendars)
    : restricts_{!rule.include.empty() || !rule.exclude.empty()}, includes_some_{!rule.include.empty()} {
    const auto take = [&](const std::vector<std::string>& ids, core::Calendars& into) {
        for (const auto& id : ids) {
            if (const auto* const calendar = find(calendars, id)) {
                into.push_back(*calendar);
            } else {
                missing_.push_back('\'' + id + '\'');
            }
        }
    };
    take(rule.include, include_);
    take(rule.exclude, exclude_);
    for (const auto& calendar : include_) names_.push_back('\'' + name_of(*calendar) + '\'');
}

bool DayCalendar::allows(local_days day) const {
    if (!restricts_) return true;
    return (!includes_some_ || holds(include_, day)) && !holds(exclude_, day);
}

std::string DayCalendar::why_not(local_days day) const {
    if (allows(day)) return {};
    const auto date = config::date_text(day);
    for (const auto& calendar : exclude_) {
        if (calendar->contains(day)) return fmt::format("calendar '{}' excludes {}", name_of(*calendar), date);
    }
    auto text = names_.empty() ? std::string{} : fmt::format("{} is no day of calendar {}", date, fmt::join(names_, " or "));
    if (missing_.empty()) return text;
    return fmt::format("{}{}there is no calendar {}", text, text.empty() ? "" : "; ", fmt::join(missing_, ", "));
}

}  // namespace varde::schedule
