#include "store/migrations.hpp"

#include "fixture.hpp"

#include <fstream>
#include <thread>

using namespace varde;
using namespace varde::store::testing;

namespace {

using Names = std::vector<std::string>;

/// A migrations directory of the test's own.
class Folder {
  public:
    Folder() { std::filesystem::create_directories(path_); }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    void write(const std::string& name, const std::string& sql) const { std::ofstream{path_ / name} << sql; }
    void remove(const std::string& name) const { std::filesystem::remove(path_ / name); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_ = std::filesystem::temp_directory_path() / (unique_name() + "_migrations");
};

}  // namespace

TEST_CASE_TEMPLATE("the shipped migrations run once", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto database = fixture.connect();
    const auto before = value_of(store::schema_status(*database, migrations_dir));
    CHECK(before.applied_version == 0);
    CHECK(before.latest_version >= 4);
    const auto done = value_of(store::migrate(*database, migrations_dir));
    CHECK(done == before.pending);
    CHECK(value_of(store::migrate(*database, migrations_dir)).empty());
    const auto after = value_of(store::schema_status(*database, migrations_dir));
    CHECK(after.applied_version == after.latest_version);
    CHECK(after.pending.empty());
}

TEST_CASE_TEMPLATE("files run in the order of their numbers, and only those of the engine", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT);");
    folder.write("0002_b.sqlite.sql", "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);");
    folder.write("0002_b.postgres.sql", "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);");
    folder.write("0010_c.sql", "-- nothing\n;INSERT INTO a VALUES (3);");
    folder.write("README.md", "not a migration");
    folder.write("1_short.sql", "syntax error");
    const auto database = fixture.connect();
    const std::string b = std::is_same_v<On, OnSqlite> ? "0002_b.sqlite.sql" : "0002_b.postgres.sql";
    CHECK(value_of(store::migrate(*database, folder.path())) == Names{"0001_a.sql", b, "0010_c.sql"});
    folder.write("0011_d.sql", "INSERT INTO a VALUES (4);");
    CHECK(value_of(store::schema_status(*database, folder.path())).pending == Names{"0011_d.sql"});
    CHECK(value_of(store::migrate(*database, folder.path())) == Names{"0011_d.sql"});
}

TEST_CASE_TEMPLATE("a file with an error leaves nothing of itself and is named", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_good.sql", "CREATE TABLE good (x BIGINT);");
    folder.write("0002_bad.sql", "CREATE TABLE half (x BIGINT); CREATE TABEL typo (x BIGINT);");
    const auto database = fixture.connect();
    const auto failed = store::migrate(*database, folder.path());
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == core::Errc::migration_failed);
    CHECK(failed.error().context.find("0002_bad.sql") != std::string::npos);
    CHECK(value_of(store::schema_status(*database, folder.path())).applied_version == 1);
    folder.write("0002_bad.sql", "CREATE TABLE half (x BIGINT);");
    CHECK(value_of(store::migrate(*database, folder.path())) == Names{"0002_bad.sql"});
}

TEST_CASE_TEMPLATE("a file that ends the transaction is refused", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT); COMMIT;");
    const auto database = fixture.connect();
    const auto failed = store::migrate(*database, folder.path());
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == core::Errc::migration_failed);
    CHECK(failed.error().context.find("COMMIT") != std::string::npos);
}

TEST_CASE_TEMPLATE("an applied file that was changed or removed is refused", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT);");
    folder.write("0002_b.sql", "CREATE TABLE b (x BIGINT);");
    folder.write("0003_c.sql", "CREATE TABLE c (x BIGINT);");
    const auto database = fixture.connect();
    value_of(store::migrate(*database, folder.path()));
    folder.write("0002_b.sql", "CREATE TABLE b (y BIGINT);");
    auto refused = store::migrate(*database, folder.path());
    CHECK(refused.error().code == core::Errc::migration_failed);
    CHECK(refused.error().context.find("0002_b.sql was changed") != std::string::npos);
    folder.remove("0002_b.sql");
    refused = store::migrate(*database, folder.path());
    CHECK(refused.error().code == core::Errc::migration_failed);
    CHECK(refused.error().context.find("0002_b.sql") != std::string::npos);
}

TEST_CASE_TEMPLATE("a file that comes late, with a number in between, is refused", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT);");
    folder.write("0003_c.sql", "CREATE TABLE c (x BIGINT);");
    const auto database = fixture.connect();
    value_of(store::migrate(*database, folder.path()));
    folder.write("0002_b.sql", "CREATE TABLE b (x BIGINT);");
    const auto refused = store::migrate(*database, folder.path());
    CHECK(refused.error().code == core::Errc::migration_failed);
    CHECK(refused.error().context.find("0002_b.sql") != std::string::npos);
}

TEST_CASE_TEMPLATE("a database of a newer program is left alone", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const Folder folder;
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT);");
    folder.write("0002_b.sql", "CREATE TABLE b (x BIGINT);");
    const auto database = fixture.connect();
    value_of(store::migrate(*database, folder.path()));
    folder.remove("0002_b.sql");
    CHECK(store::migrate(*database, folder.path()).error().code == core::Errc::schema_newer);
    CHECK(store::schema_status(*database, folder.path()).error().code == core::Errc::schema_newer);
}

TEST_CASE_TEMPLATE("no files, no directory and two files of one number are errors", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    const auto database = fixture.connect();
    const Folder folder;
    auto refused = store::migrate(*database, folder.path());
    CHECK(refused.error().code == core::Errc::migration_failed);
    CHECK(refused.error().context.find("no migration files found") != std::string::npos);
    refused = store::migrate(*database, folder.path() / "nowhere");
    CHECK(refused.error().context.find("no migration files found") != std::string::npos);
    folder.write("0001_a.sql", "CREATE TABLE a (x BIGINT);");
    folder.write("0001_b.sql", "CREATE TABLE b (x BIGINT);");
    refused = store::migrate(*database, folder.path());
    CHECK(refused.error().context.find("0001_") != std::string::npos);
}

TEST_CASE_TEMPLATE("of several runners at once one does the work", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    constexpr int runners = 4;
    std::vector<std::size_t> done(runners);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < runners; ++i) {
            threads.emplace_back([&, i] {
                auto database = store::Database::open(fixture.settings());
                if (!database) return;
                const auto names = store::migrate(**database, migrations_dir);
                done[static_cast<std::size_t>(i)] = names ? names->size() : 100;
            });
        }
    }
    const auto files = value_of(store::schema_status(*fixture.connect(), migrations_dir));
    CHECK(files.pending.empty());
    std::size_t all = 0;
    for (const std::size_t one : done) all += one;
    CHECK(all == static_cast<std::size_t>(files.latest_version));
}
