// What storing events costs, as ratios to the engine's own limit, measured in turns in the same run. Without arguments; with
// VARDE_TEST_POSTGRES_URL also on PostgreSQL (VARDE_POSTGRES_FSYNC=on tests/postgres/with_postgres.sh bench_store).
// VARDE_BENCH_ROWS: how big the big table gets (5,000,000).
#include "events.hpp"
#include "raw.hpp"
#include "store/database.hpp"
#include "store/event_log.hpp"
#include "store/migrations.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace {

using namespace varde;
using Seconds = std::chrono::duration<double>;

template <class T>
T need(core::Result<T> result) {
    if (!result) {
        fmt::print(stderr, "bench_store: {}\n", result.error().context);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class Work>
double seconds_of(Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return Seconds{std::chrono::steady_clock::now() - start}.count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

struct Store {
    explicit Store(const std::string& url) {
        store::DatabaseSettings settings;
        settings.url = url;
        database = need(store::Database::open(settings));
        need(store::migrate(*database, VARDE_SOURCE_DIR "/migrations"));
        log = need(store::SqlEventLog::open(*database));
    }
    void append(const std::vector<core::Event>& events) { need(log->append(events)); }
    std::unique_ptr<store::Database> database;
    std::unique_ptr<store::SqlEventLog> log;
};

/// Both store the same rows, batch by batch in turns. Returns the seconds per row of append.
double compare(const char* name, bench::RawInserts& raw, Store& ours, std::size_t batch, int rounds) {
    bench::EventStream stream{batch + 7};
    std::vector<double> raw_times, our_times;
    for (int i = 0; i < rounds; ++i) {
        const auto events = stream.next(batch);
        raw_times.push_back(seconds_of([&] { raw.insert(events); }));
        our_times.push_back(seconds_of([&] { ours.append(events); }));
    }
    const double rows = static_cast<double>(batch);
    fmt::print("{:<34} raw {:6.2f} us/row  append {:6.2f} us/row  time ratio: median {:.2f}, mean {:.2f}\n", name,
               median(raw_times) / rows * 1e6, median(our_times) / rows * 1e6, median(our_times) / median(raw_times),
               mean(our_times) / mean(raw_times));
    std::fflush(stdout);
    return mean(our_times) / rows;
}

/// Seconds per row of appending `rows` random events.
double append_many(Store& ours, bench::EventStream& stream, std::int64_t rows, std::size_t batch) {
    double seconds = 0;
    for (std::int64_t done = 0; done < rows; done += static_cast<std::int64_t>(batch)) {
        const auto events = stream.next(batch);
        seconds += seconds_of([&] { ours.append(events); });
    }
    return seconds / static_cast<double>(rows);
}

void sqlite_bench(std::int64_t big) {
    const std::filesystem::path dir = std::filesystem::temp_directory_path() / fmt::format("varde-bench-{}", ::getpid());
    std::filesystem::create_directories(dir);
    const auto url = [&](const char* name) { return "sqlite:" + (dir / name).string(); };
    {
        { Store schema{url("raw.db")}; }
        const auto raw = bench::raw_sqlite((dir / "raw.db").string());
        Store ours{url("ours.db")};
        compare("sqlite, 1,000 a transaction", *raw, ours, 1000, 200);
        compare("sqlite, 32 a transaction", *raw, ours, 32, 2000);
    }
    {
        auto ours = std::make_unique<Store>(url("big.db"));
        bench::EventStream stream{1};
        const double empty = append_many(*ours, stream, 200'000, 1000);
        const double building = append_many(*ours, stream, big - 200'000, 10'000);
        const double full = append_many(*ours, stream, 200'000, 1000);
        fmt::print("sqlite, 1,000 a transaction: {:.2f} us/row from the empty table, {:.2f} at {} rows: rate ratio {:.2f}\n",
                   empty * 1e6, full * 1e6, big, empty / full);
        fmt::print("sqlite, built by append of 10,000: {:.2f} us/row, {:.0f} s\n", building * 1e6,
                   building * static_cast<double>(big));
        ours.reset();
        const double opening = seconds_of([&] { ours = std::make_unique<Store>(url("big.db")); });
        fmt::print("sqlite, opening a log of {} rows: {:.2f} s\n", big, opening);
        bench::EventStream again{1};
        const double repeats = append_many(*ours, again, 100'000, 1000);
        fmt::print("sqlite, 1,000 repeats of the oldest rows: {:.2f} us/row\n", repeats * 1e6);
    }
    std::filesystem::remove_all(dir);
}

void postgres_run(const std::string& url, const std::string& sql) {
    PGconn* const connection = PQconnectdb(url.c_str());
    PQclear(PQexec(connection, ("SET client_min_messages = error; " + sql).c_str()));
    PQfinish(connection);
}

void postgres_bench(const std::string& base, std::int64_t big) {
    postgres_run(base, "DROP SCHEMA IF EXISTS bench_raw, bench_ours CASCADE; CREATE SCHEMA bench_raw; CREATE SCHEMA bench_ours");
    const auto url = [&](const char* schema) { return base + "?options=-csearch_path%3D" + schema; };
    { Store schema{url("bench_raw")}; }
    const auto raw = bench::raw_postgres(url("bench_raw"));
    Store ours{url("bench_ours")};
    compare("postgresql, 1,000 a transaction", *raw, ours, 1000, 200);
    compare("postgresql, 10,000 a transaction", *raw, ours, 10'000, 30);
    bench::EventStream stream{1};
    append_many(ours, stream, big - 500'000, 10'000);
    const double full = append_many(ours, stream, 200'000, 1000);
    fmt::print("postgresql, 1,000 a transaction at {} rows: {:.2f} us/row\n", big, full * 1e6);
    const double opening = seconds_of([&] { ours.log = need(store::SqlEventLog::open(*ours.database)); });
    fmt::print("postgresql, opening a log of {} rows: {:.2f} s\n", big, opening);
    bench::EventStream again{1};
    const double repeats = append_many(ours, again, 100'000, 1000);
    fmt::print("postgresql, 1,000 repeats of old rows: {:.2f} us/row\n", repeats * 1e6);
    postgres_run(base, "DROP SCHEMA bench_raw, bench_ours CASCADE");
}

}  // namespace

int main() {
    const char* const rows = std::getenv("VARDE_BENCH_ROWS");
    const std::int64_t big = rows ? std::atoll(rows) : 5'000'000;
    const char* const only = std::getenv("VARDE_BENCH_ONLY");
    if (!only || std::string_view{only} == "sqlite") sqlite_bench(big);
    const char* const url = std::getenv("VARDE_TEST_POSTGRES_URL");
    if (!url) fmt::print("postgresql: skipped, VARDE_TEST_POSTGRES_URL is not set\n");
    if (url && (!only || std::string_view{only} == "postgresql")) postgres_bench(url, big);
}
