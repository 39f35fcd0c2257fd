#include "store/database.hpp"

#include "fixture.hpp"
#include "store/deviation_repository.hpp"

#include <fstream>
#include <thread>

using namespace varde;
using namespace varde::store::testing;
using namespace std::chrono_literals;

TEST_CASE_TEMPLATE("an open database answers and says where it is", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto database = fixture.connect();
    value_of(database->ping());
    CHECK(database->description().starts_with(store::name_of(database->engine())));
    CHECK(database->description().find("not-a-secret") == std::string::npos);
}

TEST_CASE_TEMPLATE("a call that gets no session in time says that they are busy", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    (void)fixture.database();
    store::DatabaseSettings settings = fixture.settings();
    settings.sessions = 1;
    settings.busy_timeout = 20ms;
    const auto database = fixture.connect(settings);
    store::SqlDeviationRepository repository{*database};
    auto transaction = value_of(repository.begin());
    const auto refused = database->ping();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::database_unavailable);
    CHECK(refused.error().context.find("sessions were busy") != std::string::npos);
    transaction.reset();
    value_of(database->ping());
}

TEST_CASE_TEMPLATE("a writer that waits too long for another host says so", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    store::DatabaseSettings settings = fixture.settings();
    settings.busy_timeout = 20ms;
    const auto database = fixture.connect(settings);
    store::SqlDeviationRepository other{*database};
    core::Deviation row;
    row.rule_id = "R-001";
    row.deviation_id = 1;
    auto transaction = value_of(repository.begin());
    value_of(transaction->insert(row));
    const auto refused = value_of(other.begin())->insert(row);  // waits for the first one's end: it may have the same key
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::database_unavailable);
    transaction.reset();
    value_of(value_of(other.begin())->insert(row));
}

TEST_CASE_TEMPLATE("many threads append at once and each event is stored once", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    constexpr int writers = 8, batches = 10;
    std::atomic<int> stored = 0, failed = 0;
    {
        std::vector<std::jthread> threads;
        for (int writer = 0; writer < writers; ++writer) {
            threads.emplace_back([&] {
                for (int batch = 0; batch < batches; ++batch) {
                    // All writers send the same ids.
                    const auto results = log->append(
                        std::vector{event_of("a" + std::to_string(batch), batch), event_of("b" + std::to_string(batch), batch)});
                    if (!results) {
                        ++failed;
                        continue;
                    }
                    for (const auto& result : *results) stored += result.deduped ? 0 : 1;
                }
            });
        }
    }
    CHECK(failed == 0);
    CHECK(stored == 2 * batches);
    std::int64_t previous = 0;
    const std::int64_t last = value_of(log->read_after(0, 1000, [&](const core::Event& event) {
        CHECK(event.seq == previous + 1);
        previous = event.seq;
    }));
    CHECK(last == 2 * batches);
}

TEST_CASE("an unusable number of sessions is refused") {
    for (const int sessions : {0, 65}) {
        store::DatabaseSettings settings;
        settings.url = "sqlite:/nowhere/x.db";
        settings.sessions = sessions;
        CHECK(store::Database::open(settings).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE("a SQLite file is made with its directory, for its owner only, in WAL mode") {
    const std::filesystem::path dir = std::filesystem::temp_directory_path() / unique_name();
    const auto file = dir / "deep" / "a b=c.db";
    {
        store::DatabaseSettings settings;
        settings.url = "sqlite:" + file.string();
        const auto database = store::Database::open(settings);
        REQUIRE(database.has_value());
        value_of(store::migrate(**database, migrations_dir));
        CHECK(std::filesystem::exists(file.string() + "-wal"));
        using std::filesystem::perms;
        const auto shared = perms::group_all | perms::others_all;
        CHECK((std::filesystem::status(file).permissions() & shared) == perms::none);
        CHECK((std::filesystem::status(file.string() + "-wal").permissions() & shared) == perms::none);
    }
    std::filesystem::remove_all(dir);
}

TEST_CASE("a file that is no database is a failure, one that cannot be made is unavailability") {
    const std::filesystem::path file = std::filesystem::temp_directory_path() / unique_name();
    std::ofstream{file} << std::string(8192, 'x');
    store::DatabaseSettings settings;
    settings.url = "sqlite:" + file.string();
    CHECK(store::Database::open(settings).error().code == core::Errc::database_failed);
    settings.url = "sqlite:" + (file / "inside" / "a.file").string();
    CHECK(store::Database::open(settings).error().code == core::Errc::database_unavailable);
    std::filesystem::remove(file);
}

TEST_CASE("a PostgreSQL server that is not there is unavailability, told without secrets") {
    store::DatabaseSettings settings;
    settings.url = "postgresql://kari:pa55word@127.0.0.1:1/varde";
    const auto refused = store::Database::open(settings);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::database_unavailable);
    CHECK(refused.error().context == "asking the database: cannot connect to postgresql 127.0.0.1:1/varde: connection refused");
}

TEST_CASE("missing tables are a failure, told without the statement") {
    Fixture<OnSqlite> fixture;
    const auto database = fixture.connect();
    const auto refused = store::SqlEventLog::open(*database);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::database_failed);
    CHECK(refused.error().context.find("event_key_seed") == std::string::npos);
}

TEST_CASE("an administrator may end every connection: the next call makes a new one") {
    Fixture<OnPostgres> fixture;
    if (!fixture.ready()) return;
    const auto log = fixture.open_log();
    value_of(log->append(std::vector{event_of("a", 1)}));
    for (int round = 0; round < 3; ++round) {
        fixture.place().end_connections();
        const auto results = log->append(std::vector{event_of("a", 1), event_of("b" + std::to_string(round), 2)});
        REQUIRE(results.has_value());
        CHECK((*results)[0].deduped);
        CHECK_FALSE((*results)[1].deduped);
    }
}

TEST_CASE("a connection that is lost in a transaction undoes it and is made again") {
    Fixture<OnPostgres> fixture;
    if (!fixture.ready()) return;
    store::SqlDeviationRepository repository{fixture.database()};
    core::Deviation row;
    row.rule_id = "R-001";
    auto transaction = value_of(repository.begin());
    value_of(transaction->insert(row));
    fixture.place().end_connections();
    const auto lost = transaction->commit();
    REQUIRE_FALSE(lost.has_value());
    CHECK(lost.error().code == core::Errc::database_unavailable);
    transaction.reset();
    CHECK(value_of(repository.list({})).empty());
}
