#include "http/raw_insert.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <sqlite3.h>

namespace varde::bench {
namespace {

void execute(sqlite3* database, const char* sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return;
    std::fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
    std::exit(1);
}

}  // namespace

double raw_insert_rate(const std::filesystem::path& file, int rows) {
    sqlite3* database = nullptr;
    sqlite3_open(file.c_str(), &database);
    execute(database, "PRAGMA journal_mode=WAL");
    execute(database, "PRAGMA synchronous=NORMAL");
    execute(database,
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, ts INTEGER NOT NULL, category TEXT NOT NULL, "
            "payload TEXT NOT NULL, subject TEXT NOT NULL)");
    execute(database, "CREATE UNIQUE INDEX by_id ON events (id)");
    execute(database, "CREATE INDEX by_category ON events (category, ts)");
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(database, "INSERT INTO events (id, ts, category, payload, subject) VALUES (?,?,?,?,?)", -1, &insert,
                       nullptr);
    const std::string payload = R"({"entity_id":"binary_sensor.bath_motion","state":"on","room_id":"bath"})";
    const auto start = std::chrono::steady_clock::now();
    for (int row = 0; row < rows; ++row) {
        if (row % 10'000 == 0) execute(database, row == 0 ? "BEGIN" : "COMMIT; BEGIN");
        const auto id = fmt::format("0192f0c1-{:04x}-7cde-8f01-{:012x}", row >> 16, row);
        sqlite3_bind_text(insert, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, 1'768'478'340'000'000 + row);
        sqlite3_bind_text(insert, 3, "motion", 6, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
        sqlite3_bind_text(insert, 5, "default", 7, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE) std::exit(1);
        sqlite3_reset(insert);
    }
    execute(database, "COMMIT");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return rows / seconds;
}

}  // namespace varde::bench
