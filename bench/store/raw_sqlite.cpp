#include "raw.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>

#include <sqlite3.h>

namespace varde::bench {
namespace {

class RawSqlite final : public RawInserts {
  public:
    explicit RawSqlite(const std::string& file) {
        check(sqlite3_open(file.c_str(), &database_));
        run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint ="
            " 1000;");
        check(sqlite3_prepare_v3(database_,
                                 "INSERT INTO events (seq, key_hash, time, received_at, event_id, org_id, home_id,"
                                 " subject_id, stream_id, category, room_id, payload) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                                 -1, SQLITE_PREPARE_PERSISTENT, &insert_, nullptr));
    }
    ~RawSqlite() override {
        sqlite3_finalize(insert_);
        sqlite3_close(database_);
    }
    void insert(std::span<const core::Event> events) override {
        run("BEGIN IMMEDIATE");
        for (const core::Event& event : events) {
            sqlite3_bind_int64(insert_, 1, ++seq_);
            sqlite3_bind_int64(insert_, 2, static_cast<std::int64_t>(std::hash<std::string>{}(event.event_id)));
            sqlite3_bind_int64(insert_, 3, core::to_us(event.time));
            sqlite3_bind_int64(insert_, 4, core::to_us(event.received_at));
            int position = 5;
            for (const std::string* text : {&event.event_id, &event.scope.org_id, &event.scope.home_id, &event.scope.subject_id,
                                            &event.stream_id, &event.category, &event.room_id, &event.payload}) {
                sqlite3_bind_text(insert_, position++, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
            }
            if (sqlite3_step(insert_) != SQLITE_DONE) check(SQLITE_ERROR);
            sqlite3_reset(insert_);
        }
        run("COMMIT");
    }

  private:
    void check(int code) {
        if (code == SQLITE_OK) return;
        std::fprintf(stderr, "raw sqlite: %s\n", sqlite3_errmsg(database_));
        std::exit(1);
    }
    void run(const char* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }

    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    std::int64_t seq_ = 0;
};

}  // namespace

std::unique_ptr<RawInserts> raw_sqlite(const std::string& file) { return std::make_unique<RawSqlite>(file); }

}  // namespace varde::bench
