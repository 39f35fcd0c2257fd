#pragma once
#include "store/database.hpp"
#include "store/event_log.hpp"
#include "store/migrations.hpp"

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

/// An empty database for one test, on either engine: TEST_CASE_TEMPLATE("...", Engine, ON_EACH_ENGINE) { Fixture<Engine> fixture;
/// if (!fixture.ready()) return; ... }. PostgreSQL comes from VARDE_TEST_POSTGRES_URL (tests/postgres/with_postgres.sh); each test gets
/// a schema of its own there.
namespace varde::store::testing {

struct OnSqlite {};
struct OnPostgres {};
#define ON_EACH_ENGINE varde::store::testing::OnSqlite, varde::store::testing::OnPostgres
}  // namespace varde::store::testing

TYPE_TO_STRING_AS("sqlite", varde::store::testing::OnSqlite);
TYPE_TO_STRING_AS("postgresql", varde::store::testing::OnPostgres);

namespace varde::store::testing {

inline const std::filesystem::path migrations_dir{VARDE_SOURCE_DIR "/migrations"};

inline std::string unique_name() {
    static int number = 0;
    return "varde_test_" + std::to_string(::getpid()) + "_" + std::to_string(number++);
}

template <class On>
class Place;

template <>
class Place<OnSqlite> {
  public:
    Place() { std::filesystem::create_directories(dir_); }
    ~Place() { std::filesystem::remove_all(dir_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool ready() const { return true; }
    [[nodiscard]] std::string url() const { return "sqlite:" + (dir_ / "varde.db").string(); }

  private:
    std::filesystem::path dir_ = std::filesystem::temp_directory_path() / unique_name();
};

template <>
class Place<OnPostgres> {
  public:
    Place() {
        if (const char* url = std::getenv("VARDE_TEST_POSTGRES_URL")) base_ = url;
        if (base_.empty()) {
            std::cout << "skipped on PostgreSQL: VARDE_TEST_POSTGRES_URL is not set; use tests/postgres/with_postgres.sh\n";
        } else {
            run("CREATE SCHEMA " + schema_);
        }
    }
    ~Place() {
        if (!base_.empty()) run("DROP SCHEMA " + schema_ + " CASCADE");
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool ready() const { return !base_.empty(); }
    [[nodiscard]] std::string url() const {
        return base_ + "?application_name=" + schema_ + "&options=-csearch_path%3D" + schema_;
    }
    /// As an administrator would; waits until they have ended.
    void end_connections() const {
        run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '" + schema_ + "'");
    }
    /// As an administrator would, on a connection of its own.
    void run(const std::string& sql) const {
        PGconn* const connection = PQconnectdb(base_.c_str());
        PGresult* const result = PQexec(connection, ("SET client_min_messages = error; " + sql).c_str());
        const ExecStatusType status = PQresultStatus(result);
        const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (!good) std::cout << PQerrorMessage(connection);
        PQclear(result);
        PQfinish(connection);
        REQUIRE(good);
    }

  private:
    std::string base_;
    std::string schema_ = unique_name();
};

template <class On>
class Fixture {
  public:
    [[nodiscard]] bool ready() const { return place_.ready(); }
    [[nodiscard]] DatabaseSettings settings() const {
        DatabaseSettings settings;
        settings.url = place_.url();
        settings.sessions = 4;
        // Most tests are not about power cuts.
        settings.synchronous = DatabaseSettings::Synchronous::off;
        return settings;
    }
    /// Another connection pool on the same database, as another process would have.
    [[nodiscard]] std::unique_ptr<Database> connect() const { return connect(settings()); }
    [[nodiscard]] std::unique_ptr<Database> connect(const DatabaseSettings& settings) const {
        auto opened = Database::open(settings);
        if (!opened) std::cout << opened.error().context << '\n';
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }
    /// The migrated database; made by the first call.
    [[nodiscard]] Database& database() {
        if (!database_) {
            database_ = connect();
            const auto migrated = migrate(*database_, migrations_dir);
            if (!migrated) std::cout << migrated.error().context << '\n';
            REQUIRE(migrated.has_value());
        }
        return *database_;
    }
    [[nodiscard]] std::unique_ptr<SqlEventLog> open_log() { return open_log(database()); }
    [[nodiscard]] static std::unique_ptr<SqlEventLog> open_log(Database& database) {
        auto log = SqlEventLog::open(database);
        if (!log) std::cout << log.error().context << '\n';
        REQUIRE(log.has_value());
        return std::move(*log);
    }
    [[nodiscard]] const Place<On>& place() const { return place_; }

  private:
    Place<On> place_;
    std::unique_ptr<Database> database_;
};

/// The value, or a failed test with the error's text.
template <class T>
T value_of(core::Result<T> result) {
    if (!result) std::cout << core::name_of(result.error().code) << ": " << result.error().context << '\n';
    REQUIRE(result.has_value());
    return std::move(*result);
}
inline void value_of(core::Result<void> result) {
    if (!result) std::cout << core::name_of(result.error().code) << ": " << result.error().context << '\n';
    REQUIRE(result.has_value());
}

inline core::Instant at_second(std::int64_t second) { return core::instant_from_us(1'768'478'400'000'000 + second * 1'000'000); }

inline core::Event event_of(std::string event_id, std::int64_t second, std::string category = "motion", core::Scope scope = {}) {
    core::Event event;
    event.event_id = std::move(event_id);
    event.scope = std::move(scope);
    event.time = at_second(second);
    event.category = std::move(category);
    event.room_id = "kitchen";
    event.payload = R"({"value":"on"})";
    event.received_at = at_second(second + 1);
    return event;
}

}  // namespace varde::store::testing
