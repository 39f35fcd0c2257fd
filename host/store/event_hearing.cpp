#include "store/event_hearing.hpp"

#include "store/due_schedules.hpp"
#include "store/row_batch.hpp"
#include "store/schedule_rows.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace varde::store {
namespace {

constexpr std::int64_t kMostRows = 20'000;   ///< of the log that one transaction passes
constexpr std::int64_t kMostEvents = 1'000;  ///< of them that it takes up
constexpr std::int64_t kFarBehind = 5'000;   ///< rows that may be passed again, so that not each turn has something to write

std::vector<core::EventMatch> listened_to(const core::Trigger& trigger) {
    if (trigger.kind == core::TriggerKind::event) return {trigger.event};
    if (trigger.kind != core::TriggerKind::once) return {};
    auto matches = trigger.cancel_on;
    for (const auto& move : trigger.move_on) matches.push_back(move.on);
    return matches;
}

std::int64_t number_of(Session& session, const char* sql) {
    std::int64_t number = 0;
    ask(session, {sql, sql}, {}, [&](const SqlRow& row) { number = row.number(0); });
    return number;
}

/// The newest event of all. Appenders are let in one by one, so what is committed later has a higher one.
std::int64_t newest_event(Session& session) { return number_of(session, "SELECT max(seq) FROM events"); }

core::Event read_event(const SqlRow& row) {
    core::Event event;
    event.seq = row.number(0);
    event.time = row.instant(1);
    event.received_at = row.instant(2);
    int at = 3;
    for (std::string* text : {&event.event_id, &event.scope.org_id, &event.scope.home_id, &event.scope.subject_id,
                              &event.stream_id, &event.category, &event.room_id, &event.payload}) {
        *text = row.string(at++);
    }
    return event;
}

/// A part of the log, as far as anybody listens.
struct Passage {
    std::vector<core::Event> events;
    std::int64_t end = 0;  ///< the last seq that was passed
    bool more = false;     ///< there are events behind it
};

Passage read_passage(Session& session, std::int64_t after) {
    // Listeners are looked up where the events are read: one that comes in between was not there for these events.
    static constexpr SqlTexts heard{
        "SELECT e.seq, e.time, e.received_at, e.event_id, e.org_id, e.home_id, e.subject_id, e.stream_id, e.category, e.room_id,"
        " e.payload FROM events AS e WHERE e.seq > $1 AND e.seq <= $2"
        " AND EXISTS (SELECT 1 FROM schedule_listens AS l WHERE l.category = e.category AND l.org_id IN (e.org_id, ''))"
        " ORDER BY e.seq LIMIT $3",
        "SELECT e.seq, e.time, e.received_at, e.event_id, e.org_id, e.home_id, e.subject_id, e.stream_id, e.category, e.room_id,"
        " e.payload FROM events AS e WHERE e.seq > ?1 AND e.seq <= ?2"
        " AND EXISTS (SELECT 1 FROM schedule_listens AS l WHERE l.category = e.category AND l.org_id IN (e.org_id, ''))"
        " ORDER BY e.seq LIMIT ?3"};
    const std::int64_t newest = newest_event(session);
    Passage passage;
    passage.end = std::min(newest, after + kMostRows);
    if (passage.end <= after) return {{}, after, false};
    ask(session, heard, {after, passage.end, kMostEvents}, [&](const SqlRow& row) { passage.events.push_back(read_event(row)); });
    if (std::ssize(passage.events) == kMostEvents) passage.end = passage.events.back().seq;
    passage.more = passage.end < newest;
    return passage;
}

std::vector<ports::EventListener> listeners_of(Session& session, const std::vector<core::Event>& events) {
    static constexpr SqlTexts listeners{
        "SELECT l.schedule_id, l.org_id, l.category, l.payload_where, l.since FROM unnest($1::text[], $2::text[]) AS f (c, o)"
        " CROSS JOIN schedule_listens AS l WHERE l.category = f.c AND l.org_id = f.o",
        "SELECT schedule_id, org_id, category, payload_where, since FROM schedule_listens WHERE category = ?1 AND org_id = ?2"};
    std::set<std::pair<std::string_view, std::string_view>> kinds;
    for (const auto& event : events) {
        kinds.emplace(event.category, event.scope.org_id);
        kinds.emplace(event.category, "");  // the host's own schedules hear of every organisation
    }
    RowBatch batch{"tt"};
    for (const auto& [category, org] : kinds) batch.add({std::string{category}, std::string{org}});
    std::vector<ports::EventListener> found;
    batch.execute(session, listeners, {}, [&](const SqlRow& row) {
        found.push_back({row.string(0), row.string(1), {row.string(2), row.string(3)}, row.number(4)});
    });
    return found;
}

int arm_schedules(Session& session, const std::vector<std::string>& ids, core::Instant now) {
    static constexpr SqlTexts arm{
        "UPDATE schedules SET next_at = $2 + debounce WHERE schedule_id = ANY ($1::text[]) AND trigger_kind = 'event'"
        " AND state = 'active' AND next_at IS NULL RETURNING 1",
        "UPDATE schedules SET next_at = ?2 + debounce WHERE schedule_id = ?1 AND trigger_kind = 'event'"
        " AND state = 'active' AND next_at IS NULL RETURNING 1"};
    RowBatch batch{"t"};
    for (const auto& id : ids) batch.add({id});
    int armed = 0;
    batch.execute(session, arm, {sql_value(now)}, [&](const SqlRow&) { ++armed; });
    return armed;
}

/// Waits for whoever changes them.
std::vector<ports::DueSchedule> lock_one_offs(Session& session, const std::vector<std::string>& ids) {
    static const std::string start = "SELECT " + schedule_columns.of("s") + " FROM schedules AS s WHERE s.schedule_id ";
    static const std::string end = " AND s.trigger_kind = 'once' AND s.state <> 'completed'";
    static const std::string postgres = start + "= ANY ($1::text[])" + end + " ORDER BY s.schedule_id FOR UPDATE";
    static const std::string sqlite = start + "= ?1" + end;
    RowBatch batch{"t"};
    for (const auto& id : ids) batch.add({id});
    std::vector<ports::DueSchedule> found;
    batch.execute(session, {postgres.c_str(), sqlite.c_str()}, {}, [&](const SqlRow& row) {
        auto schedule = read_schedule(row, 0);
        if (schedule) found.push_back({std::move(*schedule), 0, 0, {}, {}, {}, false});  // one broken by hand hears nothing
    });
    return found;
}

/// What each of the one-offs has heard: everything up to that event.
std::map<std::string, std::int64_t> heard_by(Session& session, const std::vector<ports::DueSchedule>& schedules) {
    static constexpr SqlTexts since{
        "SELECT l.schedule_id, l.since FROM schedule_listens AS l WHERE l.schedule_id = ANY ($1::text[]) AND l.place = 0",
        "SELECT schedule_id, since FROM schedule_listens WHERE schedule_id = ?1 AND place = 0"};
    RowBatch batch{"t"};
    for (const auto& one : schedules) {
        const auto& trigger = one.schedule.trigger;
        if (trigger.kind == core::TriggerKind::once && !listened_to(trigger).empty()) batch.add({one.schedule.schedule_id});
    }
    std::map<std::string, std::int64_t> heard;
    batch.execute(session, since, {}, [&](const SqlRow& row) { heard[row.string(0)] = row.number(1); });
    return heard;
}

void give_events(ports::DueSchedule& to, const std::vector<core::Event>& events, std::int64_t after) {
    const auto matches = listened_to(to.schedule.trigger);
    for (const auto& event : events) {
        const bool wanted = event.seq > after && (to.schedule.org_id.empty() || event.scope.org_id == to.schedule.org_id) &&
                            std::ranges::find(matches, event.category, &core::EventMatch::category) != matches.end();
        if (wanted) to.events.push_back(&event);
    }
}

}  // namespace

void write_listens(Session& session, const core::Schedule& schedule) {
    static constexpr SqlTexts insert{
        "INSERT INTO schedule_listens (schedule_id, place, org_id, category, payload_where, since)"
        " SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[])",
        "INSERT INTO schedule_listens (schedule_id, place, org_id, category, payload_where, since)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
    erase_listens(session, {schedule.schedule_id});
    const auto matches = listened_to(schedule.trigger);
    if (matches.empty()) return;
    const std::int64_t since = newest_event(session);
    RowBatch batch{"tntttn"};
    for (std::int64_t place = 0; const auto& match : matches) {
        batch.add({schedule.schedule_id, place++, schedule.org_id, match.category, match.where, since});
    }
    batch.execute(session, insert);
}

void erase_listens(Session& session, const std::vector<std::string>& schedule_ids) {
    static constexpr SqlTexts erase{"DELETE FROM schedule_listens WHERE schedule_id = ANY ($1::text[])",
                                    "DELETE FROM schedule_listens WHERE schedule_id = ?1"};
    RowBatch batch{"t"};
    for (const auto& id : schedule_ids) batch.add({id});
    batch.execute(session, erase);
}

void move_listens(Session& session, const std::vector<std::pair<std::string, std::int64_t>>& heard) {
    static constexpr SqlTexts move{
        "UPDATE schedule_listens SET since = f.heard FROM unnest($1::text[], $2::bigint[]) AS f (id, heard)"
        " WHERE schedule_id = f.id AND since < f.heard",
        "UPDATE schedule_listens SET since = ?2 WHERE schedule_id = ?1 AND since < ?2"};
    RowBatch batch{"tn"};
    for (const auto& [id, seq] : heard) batch.add({id, seq});
    batch.execute(session, move);
}

std::vector<std::string> listened_categories(Session& session) {
    static constexpr const char* categories = "SELECT DISTINCT category FROM schedule_listens ORDER BY 1";
    std::vector<std::string> found;
    ask(session, {categories, categories}, {}, [&](const SqlRow& row) { found.push_back(row.string(0)); });
    return found;
}

ports::HeardEvents hear_stored_events(Session& session, core::Instant now, const ports::CalledBy& called,
                                      const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) {
    // One host at a time: an event makes its schedules due once.
    static constexpr SqlTexts lock{"SELECT heard FROM schedule_hearing FOR UPDATE", "SELECT heard FROM schedule_hearing"};
    static constexpr SqlTexts note{"UPDATE schedule_hearing SET heard = $1", "UPDATE schedule_hearing SET heard = ?1"};
    prefer_indexes(session);
    std::int64_t heard = 0;
    ask(session, lock, {}, [&](const SqlRow& row) { heard = row.number(0); });
    std::optional<std::int64_t> first;
    static constexpr const char* oldest = "SELECT since FROM schedule_listens ORDER BY since LIMIT 1";
    ask(session, {oldest, oldest}, {}, [&](const SqlRow& row) { first = row.number(0); });
    if (!first) return {};
    const auto passage = read_passage(session, std::max(heard, *first));
    ports::HeardEvents result;
    result.more = passage.more;
    std::vector<std::string> ids;
    if (!passage.events.empty()) ids = called(passage.events, listeners_of(session, passage.events));
    if (!ids.empty()) {
        result.armed = arm_schedules(session, ids, now);
        auto schedules = lock_one_offs(session, ids);
        const auto heard_already = heard_by(session, schedules);
        std::vector<DecidedSchedule> decided;
        for (auto& one : schedules) {
            const auto since = heard_already.find(one.schedule.schedule_id);
            if (since == heard_already.end()) continue;  // changed since it was called
            give_events(one, passage.events, since->second);
            auto decision = decide(one);
            if (!decision.heeded.empty()) decided.push_back({std::move(one), std::move(decision)});
        }
        result.fired = write_decisions(session, now, std::move(decided));
    }
    if (!ids.empty() || passage.end - heard >= kFarBehind) ask(session, note, {passage.end});
    return result;
}

std::vector<core::Event> add_unheard_events(Session& session, std::vector<ports::DueSchedule>& due) {
    const auto since = heard_by(session, due);
    if (since.empty()) return {};
    // What all have heard is only read here: the schedules are locked, and whoever hears for them waits.
    const std::int64_t all = number_of(session, "SELECT heard FROM schedule_hearing");
    std::int64_t first = INT64_MAX;
    for (const auto& [id, seq] : since) first = std::min(first, std::max(seq, all));
    auto passage = read_passage(session, first);
    for (auto& one : due) {
        const auto own = since.find(one.schedule.schedule_id);
        if (own == since.end()) continue;
        give_events(one, passage.events, std::max(own->second, all));
        one.more_events = passage.more;
    }
    return std::move(passage.events);
}

}  // namespace varde::store
