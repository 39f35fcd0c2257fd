#include "store/schedule_facts.hpp"

#include "store/calendar_rows.hpp"
#include "store/row_batch.hpp"
#include "store/schedule_rows.hpp"

namespace varde::store {
namespace {

std::string known_tzdata(Session& session) {
    static constexpr SqlTexts known{"SELECT value FROM schedule_facts WHERE name = 'tzdata' FOR UPDATE",
                                    "SELECT value FROM schedule_facts WHERE name = 'tzdata'"};
    std::string value;
    ask(session, known, {}, [&](const SqlRow& row) { value = row.string(0); });
    return value;
}

void note_tzdata(Session& session, const std::string& tzdata) {
    static constexpr SqlTexts note{
        "INSERT INTO schedule_facts (name, value) VALUES ('tzdata', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        "INSERT INTO schedule_facts (name, value) VALUES ('tzdata', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
    ask(session, note, {tzdata});
}

/// Those with a wall clock and a next slot, locked. What cannot be read is left to whoever shows it.
std::vector<core::Schedule> wall_schedules(Session& session) {
    static const std::string sqlite = "SELECT " + schedule_columns.of("s") +
                                      " FROM schedules AS s WHERE s.trigger_kind = 'cron' AND s.next_at IS NOT NULL"
                                      " ORDER BY s.schedule_id";
    static const std::string postgres = sqlite + " FOR UPDATE OF s";
    std::vector<core::Schedule> found;
    ask(session, {postgres.c_str(), sqlite.c_str()}, {}, [&](const SqlRow& row) {
        if (auto schedule = read_schedule(row, 0)) found.push_back(std::move(*schedule));
    });
    return found;
}

}  // namespace

ports::ScheduleRepository::ZonesFollowed follow_zones(Session& session, const std::string& tzdata,
                                                      const ports::CalendarRepository::Recompute& recompute) {
    ports::ScheduleRepository::ZonesFollowed followed;
    followed.before = known_tzdata(session);
    if (followed.before == tzdata) return followed;
    note_tzdata(session, tzdata);
    if (followed.before.empty()) return followed;  // the first host: every cursor to come is made with these rules
    auto schedules = wall_schedules(session);
    std::vector<const core::Schedule*> pointers;
    for (const auto& schedule : schedules) pointers.push_back(&schedule);
    const auto calendars = calendars_of(session, pointers);
    std::vector<core::Schedule> moved;
    for (std::size_t i = 0; i < schedules.size(); ++i) {
        const auto from = schedules[i].next_at;
        recompute(schedules[i], calendars[i]);
        if (schedules[i].next_at == from) continue;
        followed.moved.push_back({schedules[i].schedule_id, from, schedules[i].next_at});
        moved.push_back(std::move(schedules[i]));
    }
    move_cursors(session, moved);
    return followed;
}

}  // namespace varde::store
