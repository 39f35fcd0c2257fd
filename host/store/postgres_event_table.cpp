#include "store/event_row.hpp"
#include "store/event_table.hpp"
#include "store/postgres_session.hpp"

#include <charconv>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace varde::store {
namespace {

constexpr std::int64_t append_lock = 0x7661726465000001;  // "varde", 1: one number for all hosts on a database

// OFFSET 0 keeps the planner from turning the lookups round: without statistics it would hash the whole table for a few keys.
constexpr const char* stored_keys =
    "SELECT e.seq, e.key_hash, e.org_id, e.home_id, e.subject_id, e.stream_id, e.event_id"
    " FROM unnest($1::bigint[], $2::bigint[]) AS probe (bucket, key_hash)"
    " CROSS JOIN LATERAL (SELECT seq FROM event_keys WHERE bucket = probe.bucket AND key_hash = probe.key_hash OFFSET 0) AS k"
    " CROSS JOIN LATERAL (SELECT * FROM events WHERE events.seq = k.seq OFFSET 0) AS e";
constexpr const char* stored_rows =
    "SELECT e.seq, e.key_hash, e.org_id, e.home_id, e.subject_id, e.stream_id, e.event_id"
    " FROM unnest($1::bigint[]) AS wanted (seq)"
    " CROSS JOIN LATERAL (SELECT * FROM events WHERE events.seq = wanted.seq OFFSET 0) AS e";
constexpr const char* copy_events =
    "COPY events (seq, key_hash, time, received_at, event_id, org_id, home_id, subject_id, stream_id, category, room_id, payload)"
    " FROM STDIN (FORMAT BINARY);";
constexpr const char* complete_pages =
    "INSERT INTO event_keys (bucket, key_hash, seq) SELECT seq >> 17, key_hash, seq FROM events WHERE seq >= {} AND seq < {}"
    " ORDER BY 1, 2, 3;";
constexpr const char* insert_scopes_sql =
    "INSERT INTO scopes (org_id, home_id, subject_id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO"
    " NOTHING";
constexpr const char* events_after =
    "SELECT seq, event_id, stream_id, time, category, room_id, payload, received_at, org_id, home_id, subject_id"
    " FROM events WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint";
constexpr const char* events_in_range =
    "SELECT seq, event_id, stream_id, time, category, room_id, payload, received_at FROM events"
    " WHERE org_id = $1::text AND home_id = $2::text AND subject_id = $3::text AND time >= $4::bigint AND time < $5::bigint"
    " ORDER BY time, seq";
// LATERAL: scope by scope through events_by_scope_time, whatever the planner believes.
constexpr const char* delete_old =
    "WITH old AS MATERIALIZED (SELECT e.seq, e.key_hash FROM scopes AS s CROSS JOIN LATERAL (SELECT seq, key_hash FROM events"
    " WHERE org_id = s.org_id AND home_id = s.home_id AND subject_id = s.subject_id AND time < $1::bigint"
    " ORDER BY time LIMIT $2::bigint) AS e WHERE e.seq < (SELECT max(seq) FROM events) LIMIT $2::bigint),"
    " keys AS (DELETE FROM event_keys AS k USING old"
    " WHERE k.bucket = old.seq >> 17 AND k.key_hash = old.key_hash AND k.seq = old.seq),"
    " gone AS (DELETE FROM events AS e USING old WHERE e.seq = old.seq RETURNING 1)"
    " SELECT count(*) FROM gone";

void append_number(std::string& out, std::int64_t value) {
    append_int32(out, 8);
    append_int64(out, value);
}

void append_text(std::string& out, const std::string& text) {
    append_int32(out, static_cast<std::int32_t>(text.size()));
    out.append(text);
}

void append_row(std::string& out, const EventTable::Row& row) {
    const core::Event& event = *row.event;
    append_int16(out, 12);
    append_number(out, row.seq);
    append_number(out, row.key_hash);
    append_number(out, core::to_us(event.time));
    append_number(out, core::to_us(event.received_at));
    append_text(out, event.event_id);
    append_text(out, event.scope.org_id);
    append_text(out, event.scope.home_id);
    append_text(out, event.scope.subject_id);
    append_text(out, event.stream_id);
    append_text(out, event.category);
    append_text(out, event.room_id);
    append_text(out, event.payload);
}

std::int64_t number_of(const PGresult* result, int row, int column) {
    const char* const text = PQgetvalue(result, row, column);
    std::int64_t value = 0;
    std::from_chars(text, text + std::strlen(text), value);
    return value;
}

class PostgresEventTable final : public EventTable {
  public:
    void begin_append(Session& session, std::int64_t from, int limit, const VisitKey& visit) override {
        // One round trip. Each statement has its own snapshot: the last sees what was committed before the lock was given.
        // Without statistics (a table that fills for the first time) the planner would read all of it for the last few rows.
        run_keys(session,
                 fmt::format("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;"
                             "SELECT pg_advisory_xact_lock({});",
                             append_lock),
                 from, limit, visit);
    }

    void read_keys(Session& session, std::int64_t from, int limit, const VisitKey& visit) override {
        run_keys(session, "", from, limit, visit);
    }

    void read_page_keys(Session& session, const VisitKey& visit) override {
        postgres(session).copy_numbers_out("COPY event_keys (seq, key_hash) TO STDOUT (FORMAT BINARY)",
                                           [&](std::span<const std::int64_t> row) { visit(row[0], row[1]); });
    }

    void find(Session& session, std::span<const Probe> probes, const VisitStored& visit) override {
        std::vector<std::int64_t> buckets, hashes;
        for (const Probe& probe : probes) {
            buckets.push_back(probe.bucket);
            hashes.push_back(probe.key_hash);
        }
        const std::string bucket_array = bigint_array(buckets), hash_array = bigint_array(hashes);
        postgres(session).query(stored_keys,
                                PostgresValues{}.add(std::string_view{bucket_array}).add(std::string_view{hash_array}),
                                [&](const PostgresRow& row) { visit_stored(row, visit); });
    }

    void find_rows(Session& session, std::span<const std::int64_t> seqs, const VisitStored& visit) override {
        const std::string array = bigint_array(seqs);
        postgres(session).query(stored_rows, PostgresValues{}.add(std::string_view{array}),
                                [&](const PostgresRow& row) { visit_stored(row, visit); });
    }

    void insert_and_commit(Session& session, std::span<const Row> rows) override {
        static constexpr std::size_t send_bytes = 65536;  // the server works on one part while the next is built
        std::string script{copy_events};
        const Completed completed = completed_by(rows);
        if (completed.first < completed.end) script += fmt::format(fmt::runtime(complete_pages), completed.first, completed.end);
        script += " COMMIT";
        std::size_t next = 0;
        postgres(session).copy_in_and_commit(script.c_str(), [&](std::string& buffer) {
            while (next < rows.size() && buffer.size() < send_bytes) append_row(buffer, rows[next++]);
            return next < rows.size();
        });
    }

    void insert_scopes(Session& session, std::span<const core::Scope> scopes) override {
        std::vector<std::string_view> orgs, homes, subjects;
        for (const core::Scope& scope : scopes) {
            orgs.emplace_back(scope.org_id);
            homes.emplace_back(scope.home_id);
            subjects.emplace_back(scope.subject_id);
        }
        const std::string org_array = text_array(orgs), home_array = text_array(homes), subject_array = text_array(subjects);
        postgres(session).query(insert_scopes_sql,
                                PostgresValues{}
                                    .add(std::string_view{org_array})
                                    .add(std::string_view{home_array})
                                    .add(std::string_view{subject_array}),
                                [](const PostgresRow&) {});
    }

    void read_after(Session& session, std::int64_t after, std::int64_t limit, const VisitEvent& visit) override {
        core::Event event;
        postgres(session).query(events_after, PostgresValues{}.add(after).add(limit), [&](const PostgresRow& row) {
            read_event_with_scope(row, event);
            visit(event);
        });
    }

    void read_range(Session& session, const core::Scope& scope, core::Window range, const VisitEvent& visit) override {
        core::Event event;
        event.scope = scope;
        const PostgresValues values = PostgresValues{}
                                          .add(std::string_view{scope.org_id})
                                          .add(std::string_view{scope.home_id})
                                          .add(std::string_view{scope.subject_id})
                                          .add(core::to_us(range.since))
                                          .add(core::to_us(range.until));
        postgres(session).query(events_in_range, values, [&](const PostgresRow& row) {
            read_event(row, event);
            visit(event);
        });
    }

    std::int64_t prune(Session& session, core::Instant before, std::int64_t limit) override {
        std::int64_t gone = 0;
        postgres(session).query(delete_old, PostgresValues{}.add(core::to_us(before)).add(limit),
                                [&](const PostgresRow& row) { gone = row.number(0); });
        return gone;
    }

  private:
    static void visit_stored(const PostgresRow& row, const VisitStored& visit) {
        visit(row.number(0), row.number(1), EventIdentity{row.text(2), row.text(3), row.text(4), row.text(5), row.text(6)});
    }
    static void run_keys(Session& session, std::string script, std::int64_t from, int limit, const VisitKey& visit) {
        script += fmt::format("SELECT seq, key_hash FROM events WHERE seq >= {} ORDER BY seq LIMIT {}", from, limit);
        postgres(session).exec(
            script, [&](const PGresult* result, int row) { visit(number_of(result, row, 0), number_of(result, row, 1)); });
    }
    static PostgresSession& postgres(Session& session) { return static_cast<PostgresSession&>(session); }
};

}  // namespace

std::unique_ptr<EventTable> make_postgres_event_table() { return std::make_unique<PostgresEventTable>(); }

}  // namespace varde::store
