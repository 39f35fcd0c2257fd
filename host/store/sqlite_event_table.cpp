#include "store/event_row.hpp"
#include "store/event_table.hpp"
#include "store/sqlite_session.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace varde::store {
namespace {

constexpr const char* keys_from = "SELECT seq, key_hash FROM events WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
constexpr const char* page_keys = "SELECT seq, key_hash FROM event_keys";
// CROSS JOIN: SQLite takes the tables in this order.
constexpr const char* stored_key =
    "SELECT e.seq, e.org_id, e.home_id, e.subject_id, e.stream_id, e.event_id FROM event_keys AS k CROSS JOIN events AS e"
    " ON e.seq = k.seq WHERE k.bucket = ?1 AND k.key_hash = ?2";
constexpr const char* stored_row =
    "SELECT seq, org_id, home_id, subject_id, stream_id, event_id, key_hash FROM events WHERE seq = ?1";
constexpr const char* complete_pages =
    "INSERT INTO event_keys (bucket, key_hash, seq) SELECT seq >> 17, key_hash, seq FROM events WHERE seq >= ?1 AND seq < ?2"
    " ORDER BY 1, 2, 3";
constexpr const char* insert_event =
    "INSERT INTO events (seq, key_hash, time, received_at, event_id, org_id, home_id, subject_id, stream_id, category,"
    " room_id, payload)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
constexpr const char* insert_scope =
    "INSERT INTO scopes (org_id, home_id, subject_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr const char* events_after =
    "SELECT seq, event_id, stream_id, time, category, room_id, payload, received_at, org_id, home_id, subject_id"
    " FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
constexpr const char* events_in_range =
    "SELECT seq, event_id, stream_id, time, category, room_id, payload, received_at FROM events"
    " WHERE org_id = ?1 AND home_id = ?2 AND subject_id = ?3 AND time >= ?4 AND time < ?5 ORDER BY time, seq";
// Scope by scope through events_by_scope_time. CROSS JOIN as above.
constexpr const char* old_rows =
    "SELECT e.seq, e.key_hash FROM scopes AS s CROSS JOIN events AS e WHERE e.org_id = s.org_id AND e.home_id = s.home_id"
    " AND e.subject_id = s.subject_id AND e.time < ?1 AND e.seq < (SELECT max(seq) FROM events) LIMIT ?2";
constexpr const char* delete_event = "DELETE FROM events WHERE seq = ?1";
constexpr const char* delete_key = "DELETE FROM event_keys WHERE bucket = ?1 >> 17 AND key_hash = ?2 AND seq = ?1";

class SqliteEventTable final : public EventTable {
  public:
    void begin_append(Session& session, std::int64_t from, int limit, const VisitKey& visit) override {
        session.exec("BEGIN IMMEDIATE");
        read_keys(session, from, limit, visit);
    }

    void read_keys(Session& session, std::int64_t from, int limit, const VisitKey& visit) override {
        SqliteStatement& keys = statement(session, keys_from);
        const StatementUse use{keys};
        keys.bind(1, from);
        keys.bind(2, limit);
        while (keys.step()) visit(keys.number(0), keys.number(1));
    }

    void read_page_keys(Session& session, const VisitKey& visit) override {
        SqliteStatement& keys = statement(session, page_keys);
        const StatementUse use{keys};
        while (keys.step()) visit(keys.number(0), keys.number(1));
    }

    void find(Session& session, std::span<const Probe> probes, const VisitStored& visit) override {
        SqliteStatement& stored = statement(session, stored_key);
        const StatementUse use{stored};
        for (const Probe& probe : probes) {
            stored.bind(1, probe.bucket);
            stored.bind(2, probe.key_hash);
            while (stored.step()) visit(stored.number(0), probe.key_hash, identity_in(stored));
        }
    }

    void find_rows(Session& session, std::span<const std::int64_t> seqs, const VisitStored& visit) override {
        SqliteStatement& stored = statement(session, stored_row);
        const StatementUse use{stored};
        for (const std::int64_t seq : seqs) {
            stored.bind(1, seq);
            while (stored.step()) visit(stored.number(0), stored.number(6), identity_in(stored));
        }
    }

    void insert_and_commit(Session& session, std::span<const Row> rows) override {
        SqliteStatement& insert = statement(session, insert_event);
        const StatementUse use{insert};
        for (const Row& row : rows) {
            const core::Event& event = *row.event;
            insert.bind(1, row.seq);
            insert.bind(2, row.key_hash);
            insert.bind(3, core::to_us(event.time));
            insert.bind(4, core::to_us(event.received_at));
            insert.bind(5, event.event_id);
            insert.bind(6, event.scope.org_id);
            insert.bind(7, event.scope.home_id);
            insert.bind(8, event.scope.subject_id);
            insert.bind(9, event.stream_id);
            insert.bind(10, event.category);
            insert.bind(11, event.room_id);
            insert.bind(12, event.payload);
            insert.run();
        }
        complete(session, completed_by(rows));
        session.exec("COMMIT");
    }

    void insert_scopes(Session& session, std::span<const core::Scope> scopes) override {
        SqliteStatement& insert = statement(session, insert_scope);
        const StatementUse use{insert};
        for (const core::Scope& scope : scopes) {
            insert.bind(1, scope.org_id);
            insert.bind(2, scope.home_id);
            insert.bind(3, scope.subject_id);
            insert.run();
        }
    }

    void read_after(Session& session, std::int64_t after, std::int64_t limit, const VisitEvent& visit) override {
        SqliteStatement& rows = statement(session, events_after);
        const StatementUse use{rows};
        rows.bind(1, after);
        rows.bind(2, limit);
        core::Event event;
        while (rows.step()) {
            read_event_with_scope(rows, event);
            visit(event);
        }
    }

    void read_range(Session& session, const core::Scope& scope, core::Window range, const VisitEvent& visit) override {
        SqliteStatement& rows = statement(session, events_in_range);
        const StatementUse use{rows};
        rows.bind(1, scope.org_id);
        rows.bind(2, scope.home_id);
        rows.bind(3, scope.subject_id);
        rows.bind(4, core::to_us(range.since));
        rows.bind(5, core::to_us(range.until));
        core::Event event;
        event.scope = scope;
        while (rows.step()) {
            read_event(rows, event);
            visit(event);
        }
    }

    std::int64_t prune(Session& session, core::Instant before, std::int64_t limit) override {
        std::vector<std::pair<std::int64_t, std::int64_t>> found;  // first all: rows are not deleted under a reader
        {
            SqliteStatement& rows = statement(session, old_rows);
            const StatementUse use{rows};
            rows.bind(1, core::to_us(before));
            rows.bind(2, limit);
            while (rows.step()) found.emplace_back(rows.number(0), rows.number(1));
        }
        std::ranges::sort(found);
        SqliteStatement& event = statement(session, delete_event);
        SqliteStatement& key = statement(session, delete_key);
        const StatementUse use_event{event}, use_key{key};
        for (const auto& [seq, key_hash] : found) {
            event.bind(1, seq);
            event.run();
            key.bind(1, seq);
            key.bind(2, key_hash);
            key.run();
        }
        return std::ssize(found);
    }

  private:
    static void complete(Session& session, Completed rows) {
        if (rows.first >= rows.end) return;
        SqliteStatement& insert = statement(session, complete_pages);
        const StatementUse use{insert};
        insert.bind(1, rows.first);
        insert.bind(2, rows.end);
        insert.run();
    }
    static EventIdentity identity_in(const SqliteStatement& row) {
        return {row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)};
    }
    static SqliteStatement& statement(Session& session, const char* sql) {
        return static_cast<SqliteSession&>(session).statement(sql);
    }
};

}  // namespace

std::unique_ptr<EventTable> make_sqlite_event_table() { return std::make_unique<SqliteEventTable>(); }

}  // namespace varde::store
