#pragma once
#include "config/calendar_definition.hpp"
#include "due_fixture.hpp"

#include <nlohmann/json.hpp>

namespace due {

/// A calendar from its definition.
inline std::shared_ptr<const core::Calendar> calendar(const std::string& id, const std::string& rest) {
    const auto read = config::read_calendar(nlohmann::json::parse("{\"id\":\"" + id + "\"," + rest + "}"));
    return std::make_shared<const core::Calendar>(read.value());
}

inline std::shared_ptr<const core::Calendar> weekend() { return calendar("weekend", R"("weekdays":["sat","sun"])"); }
/// Thursday and Friday of 2026-12-24, and the New Year's Day that is a Friday.
inline std::shared_ptr<const core::Calendar> holidays() {
    return calendar("holidays", R"("name":"Public holidays","dates":["2027-01-01",{"first":"2026-12-24","last":"2026-12-25"}])");
}

/// `schedule`, on days that are in none of those calendars.
inline core::Schedule without(core::Schedule schedule, const core::Calendars& calendars,
                              core::CalendarRoll roll = core::CalendarRoll::skip) {
    for (const auto& one : calendars) schedule.policy.calendars.exclude.push_back(one->calendar_id);
    schedule.policy.calendars.roll = roll;
    return schedule;
}

inline std::vector<std::string> next_times(const core::Schedule& schedule, const core::Calendars& calendars,
                                           std::string_view after, int count) {
    const auto times = schedule::TriggerTimes::of(schedule, calendars);
    std::vector<std::string> found;
    if (!times) return {times.error().context};
    for (auto slot = times->next(at(after)); slot && count-- > 0; slot = times->next(*slot)) {
        found.push_back(time::format_utc(*slot));
    }
    return found;
}

}  // namespace due
