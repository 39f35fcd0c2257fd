#include "store/calendar_rows.hpp"

#include "config/calendar_definition.hpp"
#include "store/refusal.hpp"
#include "store/schedule_rows.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::store {
namespace {

using core::Calendar;
using Key = std::pair<std::string, std::string>;  // organisation, id

constexpr std::string_view kColumns = "c.org_id, c.calendar_id, c.version, c.definition, c.created_at, c.updated_at";

core::Result<Calendar> read_row(const SqlRow& row) {
    auto calendar = config::read_calendar(nlohmann::json::parse(row.text(3), nullptr, false));
    if (!calendar) {
        return core::fail(core::Errc::database_failed,
                          fmt::format("calendar {}: its definition in the database cannot be read ({}); put it again",
                                      row.string(1), calendar.error().context));
    }
    calendar->org_id = row.string(0);
    calendar->calendar_id = row.string(1);
    calendar->version = row.number(2);
    calendar->created_at = row.instant(4);
    calendar->updated_at = row.instant(5);
    return calendar;
}

Calendar sound(core::Result<Calendar> read) {
    if (!read) throw SqlFailure{std::move(read.error())};
    return std::move(*read);
}

std::vector<std::string> names_of(const core::CalendarRule& rule) {
    auto names = rule.include;
    names.insert(names.end(), rule.exclude.begin(), rule.exclude.end());
    return names;
}

bool uses(const core::Schedule& schedule, const std::string& calendar_id) {
    return std::ranges::count(names_of(schedule.policy.calendars), calendar_id) > 0;
}

SqlTexts batch_texts() {
    static const std::string postgres = fmt::format(
        "SELECT {} FROM unnest($1::text[], $2::text[]) AS w (org, id)"
        " JOIN calendars AS c ON c.org_id = w.org AND c.calendar_id = w.id",
        kColumns);
    static const std::string sqlite =
        fmt::format("SELECT {} FROM calendars AS c WHERE c.org_id = ?1 AND c.calendar_id = ?2", kColumns);
    return {postgres.c_str(), sqlite.c_str()};
}

SqlTexts lock_texts() {
    static const std::string postgres =
        fmt::format("SELECT {} FROM calendars AS c WHERE c.org_id = $1 AND c.calendar_id = $2 FOR UPDATE", kColumns);
    return {postgres.c_str(), batch_texts().sqlite};
}

SqlTexts list_texts() {
    static const std::string start = fmt::format("SELECT {} FROM calendars AS c WHERE ", kColumns);
    static const std::string postgres =
        start + "($1 = '' OR c.org_id = $1) AND ($2 = '' OR c.calendar_id = $2) ORDER BY c.org_id, c.calendar_id";
    static const std::string sqlite =
        start + "(?1 = '' OR c.org_id = ?1) AND (?2 = '' OR c.calendar_id = ?2) ORDER BY c.org_id, c.calendar_id";
    return {postgres.c_str(), sqlite.c_str()};
}

// The text is written by config/ (`"calendars":{...}`): what else has it in its policy is found out when it is read.
SqlTexts users_texts(bool locked) {
    static const std::string start = "SELECT " + schedule_columns.of("s") + " FROM schedules AS s WHERE s.org_id = ";
    static const std::string like = R"( AND s.policy LIKE '%"calendars":%' ORDER BY s.schedule_id)";
    static const std::string plain = start + "$1" + like;
    static const std::string locking = plain + " FOR UPDATE OF s";
    static const std::string sqlite = start + "?1" + like;
    return {locked ? locking.c_str() : plain.c_str(), sqlite.c_str()};
}

}  // namespace

std::vector<core::Calendars> calendars_of(Session& session, const std::vector<const core::Schedule*>& schedules) {
    std::set<Key> wanted;
    for (const auto* schedule : schedules) {
        for (auto& id : names_of(schedule->policy.calendars)) wanted.emplace(schedule->org_id, std::move(id));
    }
    RowBatch batch{"tt"};
    for (const auto& [org, id] : wanted) batch.add({org, id});
    std::map<Key, std::shared_ptr<const Calendar>> found;
    batch.execute(session, batch_texts(), {}, [&](const SqlRow& row) {
        auto calendar = read_row(row);
        if (calendar) found[{row.string(0), row.string(1)}] = std::make_shared<const Calendar>(std::move(*calendar));
    });
    std::vector<core::Calendars> in_order(schedules.size());
    for (std::size_t i = 0; i < schedules.size(); ++i) {
        for (const auto& id : names_of(schedules[i]->policy.calendars)) {
            const auto calendar = found.find({schedules[i]->org_id, id});
            if (calendar != found.end()) in_order[i].push_back(calendar->second);
        }
    }
    return in_order;
}

void require_calendars(Session& session, const core::Schedule& schedule) {
    static constexpr SqlTexts share{
        "SELECT calendar_id FROM calendars WHERE org_id = $2 AND calendar_id = ANY ($1::text[]) FOR SHARE",
        "SELECT calendar_id FROM calendars WHERE org_id = ?2 AND calendar_id = ?1"};
    const auto names = names_of(schedule.policy.calendars);
    RowBatch batch{"t"};
    for (const auto& id : names) batch.add({id});
    std::set<std::string> found;
    batch.execute(session, share, {schedule.org_id}, [&](const SqlRow& row) { found.insert(row.string(0)); });
    for (const auto& id : names) {
        if (!found.contains(id)) refuse(core::Errc::not_found, fmt::format("policy.calendars: there is no calendar {}", id));
    }
}

std::vector<Calendar> select_calendars(Session& session, const std::string& org_id, const std::string& calendar_id) {
    std::vector<Calendar> found;
    ask(session, list_texts(), {org_id, calendar_id}, [&](const SqlRow& row) { found.push_back(sound(read_row(row))); });
    return found;
}

std::optional<Calendar> lock_calendar(Session& session, const std::string& org_id, const std::string& calendar_id) {
    std::optional<Calendar> found;
    ask(session, lock_texts(), {org_id, calendar_id}, [&](const SqlRow& row) {
        // One that is broken is mended by putting it again.
        auto read = read_row(row);
        found = read ? std::move(*read) : Calendar{};
        found->version = row.number(2);
        found->created_at = row.instant(4);
    });
    return found;
}

void write_calendar(Session& session, const Calendar& calendar) {
    static constexpr SqlTexts put{
        "INSERT INTO calendars (org_id, calendar_id, version, definition, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (org_id, calendar_id) DO UPDATE SET version = excluded.version, definition = excluded.definition,"
        " updated_at = excluded.updated_at",
        "INSERT INTO calendars (org_id, calendar_id, version, definition, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (org_id, calendar_id) DO UPDATE SET version = excluded.version, definition = excluded.definition,"
        " updated_at = excluded.updated_at"};
    ask(session, put,
        {calendar.org_id, calendar.calendar_id, calendar.version, config::calendar_json(calendar).dump(),
         sql_value(calendar.created_at), sql_value(calendar.updated_at)});
}

void erase_calendar(Session& session, const std::string& org_id, const std::string& calendar_id) {
    static constexpr SqlTexts erase{"DELETE FROM calendars WHERE org_id = $1 AND calendar_id = $2",
                                    "DELETE FROM calendars WHERE org_id = ?1 AND calendar_id = ?2"};
    ask(session, erase, {org_id, calendar_id});
}

std::vector<core::Schedule> schedules_with(Session& session, const std::string& org_id, const std::string& calendar_id,
                                           bool locked) {
    std::vector<core::Schedule> found;
    ask(session, users_texts(locked), {org_id}, [&](const SqlRow& row) {
        auto schedule = read_schedule(row, 0);
        if (schedule && uses(*schedule, calendar_id)) found.push_back(std::move(*schedule));
    });
    return found;
}

void move_cursors(Session& session, const std::vector<core::Schedule>& schedules) {
    static constexpr SqlTexts move{
        "UPDATE schedules SET next_at = f.new_next, state = f.new_state FROM unnest($1::text[], $2::bigint[], $3::text[])"
        " AS f (id, new_next, new_state) WHERE schedule_id = f.id",
        "UPDATE schedules SET next_at = ?2, state = ?3 WHERE schedule_id = ?1"};
    RowBatch batch{"tnt"};
    for (const auto& schedule : schedules) {
        batch.add({schedule.schedule_id, sql_value(schedule.next_at), std::string{core::name_of(schedule.state)}});
    }
    batch.execute(session, move);
}

}  // namespace varde::store
