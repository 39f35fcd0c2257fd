#include "store/calendar_repository.hpp"

#include "store/calendar_rows.hpp"
#include "store/refusal.hpp"
#include "store/row_batch.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace varde::store {
namespace {

using core::Calendar;
using core::Errc;

/// Of an organisation. Two that come at the same time may both find the last place free: one more does no harm.
constexpr int kMost = 1'000;

void require_room(Session& session, const std::string& org_id) {
    static constexpr SqlTexts count{"SELECT count(*) FROM calendars WHERE org_id = $1",
                                    "SELECT count(*) FROM calendars WHERE org_id = ?1"};
    std::int64_t rows = 0;
    ask(session, count, {org_id}, [&](const SqlRow& row) { rows = row.number(0); });
    if (rows >= kMost) refuse(Errc::too_large, fmt::format("organisation {} has {} calendars: no more are kept", org_id, kMost));
}

std::string no_calendar(const std::string& id) { return fmt::format("there is no calendar {}", id); }

void require_version(const std::optional<Calendar>& current, const std::string& id, std::optional<std::int64_t> only) {
    if (!only || (current && current->version == *only)) return;
    refuse(Errc::conflict, current ? fmt::format("calendar {} has version {}: read it again", id, current->version)
                                   : fmt::format("there is no calendar {} any more", id));
}

Calendar put_calendar(Session& session, Calendar calendar, std::optional<std::int64_t> only_version,
                      const ports::CalendarRepository::Recompute& recompute) {
    const auto current = lock_calendar(session, calendar.org_id, calendar.calendar_id);
    require_version(current, calendar.calendar_id, only_version);
    if (!current) require_room(session, calendar.org_id);
    calendar.version = current ? current->version + 1 : 1;
    if (current) calendar.created_at = current->created_at;
    write_calendar(session, calendar);
    // Also of a new one: somebody may have removed it by hand.
    auto users = schedules_with(session, calendar.org_id, calendar.calendar_id, true);
    std::vector<const core::Schedule*> schedules;
    for (const auto& schedule : users) schedules.push_back(&schedule);
    const auto calendars = calendars_of(session, schedules);
    for (std::size_t i = 0; i < users.size(); ++i) recompute(users[i], calendars[i]);
    move_cursors(session, users);
    return calendar;
}

}  // namespace

core::Result<Calendar> SqlCalendarRepository::put(const Calendar& calendar, std::optional<std::int64_t> only_version,
                                                  const Recompute& recompute) {
    return write_in_the_end(database_, "storing a calendar",
                            [&](Session& session) { return put_calendar(session, calendar, only_version, recompute); });
}

core::Result<void> SqlCalendarRepository::remove(const std::string& calendar_id, const std::string& org_id,
                                                 std::optional<std::int64_t> only_version) {
    return write_in_the_end(database_, "removing a calendar", [&](Session& session) {
        const auto current = lock_calendar(session, org_id, calendar_id);
        if (!current) refuse(Errc::not_found, no_calendar(calendar_id));
        require_version(current, calendar_id, only_version);
        const auto users = schedules_with(session, org_id, calendar_id, false);
        if (!users.empty()) {
            std::vector<std::string> ids;
            std::ranges::transform(users, std::back_inserter(ids), &core::Schedule::schedule_id);
            refuse(Errc::conflict, fmt::format("calendar {} cannot be removed: {} use{} it", calendar_id, fmt::join(ids, ", "),
                                               ids.size() == 1 ? "s" : ""));
        }
        erase_calendar(session, org_id, calendar_id);
    });
}

core::Result<Calendar> SqlCalendarRepository::find(const std::string& calendar_id, const std::string& org_id) {
    auto found = database_.impl().run("reading a calendar",
                                      [&](Session& session) { return select_calendars(session, org_id, calendar_id); });
    if (!found) return tl::unexpected{std::move(found.error())};
    if (found->empty()) return core::fail(Errc::not_found, no_calendar(calendar_id));
    return std::move(found->front());
}

core::Result<std::vector<Calendar>> SqlCalendarRepository::list(const std::string& org_id) {
    return database_.impl().run("listing calendars", [&](Session& session) { return select_calendars(session, org_id, ""); });
}

core::Result<core::Calendars> SqlCalendarRepository::of(const core::Schedule& schedule) {
    return database_.impl().run("reading the calendars of a schedule",
                                [&](Session& session) { return calendars_of(session, {&schedule}).front(); });
}

}  // namespace varde::store
