#include "store/event_queries.hpp"

#include "store/conditions.hpp"

#include <algorithm>
#include <tuple>

namespace varde::store {
namespace {

constexpr const char* event_columns =
    "SELECT seq, time, received_at, event_id, org_id, home_id, subject_id, stream_id, category, room_id, payload FROM events";

/// Runs `conditions` + `tail` and appends what it finds to `events`.
void select_events(Session& session, const Conditions& conditions, const std::string& tail, std::vector<core::Event>& events) {
    long long seq = 0, time = 0, received_at = 0;
    core::Event row;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(seq));
    statement.exchange(soci::into(time));
    statement.exchange(soci::into(received_at));
    for (std::string* column : {&row.event_id, &row.scope.org_id, &row.scope.home_id, &row.scope.subject_id, &row.stream_id,
                                &row.category, &row.room_id, &row.payload}) {
        statement.exchange(soci::into(*column));
    }
    conditions.execute(statement, event_columns + conditions.where() + tail);
    while (statement.fetch()) {
        row.seq = seq;
        row.time = core::instant_from_us(time);
        row.received_at = core::instant_from_us(received_at);
        events.push_back(row);
    }
}

void add_filters(Conditions& conditions, const ports::EventQuery& query) {
    if (query.stream_id) conditions.add("stream_id", "=", *query.stream_id);
    if (query.category) conditions.add("category", "=", *query.category);
    if (query.since) conditions.add("time", ">=", *query.since);
    if (query.until) conditions.add("time", "<", *query.until);
    if (query.before) conditions.add("time", "<", *query.before);
}

struct ActiveScope {
    core::Scope scope;
    long long newest = 0;
};

/// The scopes a list of `limit` events can come from, newest first: any other scope has `limit` newer events before it.
std::vector<ActiveScope> newest_scopes(Session& session, const ports::EventQuery& query) {
    Conditions conditions;
    std::string inner = " WHERE e.org_id = s.org_id AND e.home_id = s.home_id AND e.subject_id = s.subject_id";
    const auto narrow = [&](const char* text, std::variant<std::string, long long> bound) {
        inner += text + conditions.value(std::move(bound));
    };
    if (query.stream_id) narrow(" AND e.stream_id = ", *query.stream_id);
    if (query.category) narrow(" AND e.category = ", *query.category);
    if (query.since) narrow(" AND e.time >= ", static_cast<long long>(core::to_us(*query.since)));
    if (query.until) narrow(" AND e.time < ", static_cast<long long>(core::to_us(*query.until)));
    if (query.before) narrow(" AND e.time < ", static_cast<long long>(core::to_us(*query.before)));
    conditions.admitted_by(query.scope);
    const std::string sql =
        "SELECT org_id, home_id, subject_id, newest FROM (SELECT org_id, home_id, subject_id, (SELECT e.time"
        " FROM events e" +
        inner + " ORDER BY e.time DESC LIMIT 1) AS newest FROM scopes s" + conditions.where() +
        ") AS n WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT " + conditions.value(static_cast<long long>(query.limit));
    ActiveScope row;
    soci::statement statement{session.sql};
    for (std::string* column : {&row.scope.org_id, &row.scope.home_id, &row.scope.subject_id}) {
        statement.exchange(soci::into(*column));
    }
    statement.exchange(soci::into(row.newest));
    conditions.execute(statement, sql);
    std::vector<ActiveScope> found;
    while (statement.fetch()) found.push_back(row);
    return found;
}

void keep_newest(std::vector<core::Event>& events, std::size_t limit) {
    std::ranges::sort(
        events, [](const core::Event& a, const core::Event& b) { return std::tie(a.time, a.seq) > std::tie(b.time, b.seq); });
    if (events.size() > limit) events.resize(limit);
}

}  // namespace

std::optional<core::Event> latest_event(Session& session, const core::Scope& scope, std::span<const std::string> categories,
                                        const std::string& stream_id, core::Instant before) {
    Conditions conditions;
    conditions.equals(scope).add("time", "<", before).any_of("category", categories);
    if (!stream_id.empty()) conditions.add("stream_id", "=", stream_id);
    std::vector<core::Event> found;
    select_events(session, conditions, " ORDER BY time DESC, seq LIMIT 1", found);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::int64_t first_event_seq_since(Session& session, core::Instant since) {
    // Scope by scope through events_by_scope_time: reads the keys of the recent events and no others. CROSS JOIN fixes SQLite's order.
    const long long from = core::to_us(since);
    long long seq = 0;
    session.sql << "SELECT coalesce((SELECT min(e.seq) FROM scopes s CROSS JOIN events e"
                   " WHERE e.org_id = s.org_id AND e.home_id = s.home_id AND e.subject_id = s.subject_id AND e.time >= :since),"
                   " (SELECT max(seq) + 1 FROM events), 1)",
        soci::use(from, "since"), soci::into(seq);
    return seq;
}

std::vector<core::Scope> event_scopes(Session& session) {
    core::Scope row;
    soci::statement statement = (session.sql.prepare << "SELECT org_id, home_id, subject_id FROM scopes ORDER BY 1, 2, 3",
                                 soci::into(row.org_id), soci::into(row.home_id), soci::into(row.subject_id));
    statement.execute();
    std::vector<core::Scope> found;
    while (statement.fetch()) found.push_back(row);
    return found;
}

std::vector<core::Event> list_events(Session& session, const ports::EventQuery& query) {
    const auto limit = static_cast<std::size_t>(query.limit);
    std::vector<core::Event> events;
    // No index is in the order of time alone: it would cost every insert. Newest scopes first, until no other can contribute.
    for (const ActiveScope& active : newest_scopes(session, query)) {
        const bool full = events.size() == limit;
        if (full && active.newest < core::to_us(events.back().time)) break;
        Conditions conditions;
        conditions.equals(active.scope);
        add_filters(conditions, query);
        if (full) conditions.add("time", ">=", events.back().time);
        const std::string tail = " ORDER BY time DESC, seq DESC LIMIT " + conditions.value(static_cast<long long>(query.limit));
        select_events(session, conditions, tail, events);
        keep_newest(events, limit);
    }
    return events;
}

}  // namespace varde::store
