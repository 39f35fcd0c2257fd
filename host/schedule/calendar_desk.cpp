#include "schedule/calendar_desk.hpp"

#include "schedule/schedule_edits.hpp"

namespace varde::schedule {

using core::Calendar;
using core::Result;

void CalendarDesk::tell(const Calendar& calendar, const std::string& by, std::string_view what) const {
    log_.log(ports::LogLevel::info, "schedule", "calendar_changed", "a calendar was changed",
             {{"calendar_id", calendar.calendar_id},
              {"org_id", calendar.org_id},
              {"what", std::string{what}},
              {"version", calendar.version},
              {"by", by}});
    if (changed_) changed_();
}

Result<Calendar> CalendarDesk::put(Calendar calendar, std::optional<std::int64_t> only_version, const std::string& by) {
    const auto now = clock_.now();
    calendar.created_at = calendar.updated_at = now;
    auto stored = calendars_.put(calendar, only_version, [now](core::Schedule& schedule, const core::Calendars& calendars) {
        recompute(schedule, calendars, now);
    });
    if (stored) tell(*stored, by, "put");
    return stored;
}

Result<void> CalendarDesk::remove(const std::string& calendar_id, const std::string& org_id,
                                  std::optional<std::int64_t> only_version, const std::string& by) {
    auto removed = calendars_.remove(calendar_id, org_id, only_version);
    if (!removed) return removed;
    Calendar gone;
    gone.calendar_id = calendar_id;
    gone.org_id = org_id;
    gone.version = 0;
    tell(gone, by, "delete");
    return {};
}

Result<Calendar> CalendarDesk::find(const std::string& calendar_id, const std::string& org_id) const {
    return calendars_.find(calendar_id, org_id);
}

Result<std::vector<Calendar>> CalendarDesk::list(const std::string& org_id) const { return calendars_.list(org_id); }

}  // namespace varde::schedule
