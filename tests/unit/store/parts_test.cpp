#include "store/append_batch.hpp"
#include "store/database_url.hpp"
#include "store/fair_lock.hpp"
#include "store/key_filter.hpp"
#include "store/page_keys.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

using namespace varde;
using namespace std::chrono_literals;

TEST_CASE("a SQLite URL names a file") {
    const auto url = store::parse_database_url("sqlite:var/my data.db");
    REQUIRE(url.has_value());
    CHECK(url->engine == store::Engine::sqlite);
    CHECK(url->file == "var/my data.db");
    CHECK(url->description == "sqlite var/my data.db");
    CHECK(store::parse_database_url("sqlite:/srv/varde.db")->file == "/srv/varde.db");
}

TEST_CASE("a PostgreSQL URL gives libpq's keywords, our time-outs, and a description without secrets") {
    const auto url = store::parse_database_url("postgresql://kari:pa%27ss@db.example:5433/varde?connect_timeout=9");
    REQUIRE(url.has_value());
    CHECK(url->engine == store::Engine::postgresql);
    CHECK(url->conninfo.find("password='pa\\'ss'") != std::string::npos);
    CHECK(url->conninfo.find("connect_timeout='9'") != std::string::npos);
    CHECK(url->conninfo.find("tcp_user_timeout='30000'") != std::string::npos);
    CHECK(url->description == "postgresql db.example:5433/varde");
    CHECK(store::parse_database_url("postgres:///varde")->description == "postgresql (local):5432/varde");
}

TEST_CASE("a URL that cannot be read is refused without repeating it") {
    for (const char* url : {"", "varde.db", "sqlite:", "sqlite://varde.db", "sqlite::memory:", "sqlite:a\"b",
                            "mysql://secret@x/y", "postgresql://u:secret@host:port/db?nonsense=1"}) {
        CAPTURE(url);
        const auto parsed = store::parse_database_url(url);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().code == core::Errc::invalid_argument);
        CHECK(parsed.error().context.find("secret") == std::string::npos);
    }
}

TEST_CASE("the filter never says no to a key that it has") {
    store::KeyFilter filter;
    std::mt19937_64 random{1};
    std::vector<std::pair<std::int64_t, std::int64_t>> keys;
    for (std::int64_t i = 0; i < 20'000; ++i) {
        // Over three groups of 64 buckets.
        keys.emplace_back(i * 1'000 + 1, static_cast<std::int64_t>(random()));
        filter.add(keys.back().first, keys.back().second);
    }
    for (const auto& [seq, hash] : keys) {
        bool found = false;
        filter.buckets_with(hash,
                            [&, seq = seq](std::int64_t bucket) { found = found || bucket == store::KeyFilter::bucket_of(seq); });
        REQUIRE(found);
    }
}

TEST_CASE("a full bucket answers a wrong maybe to at most one in 500 keys") {
    store::KeyFilter filter;
    std::mt19937_64 random{2};
    for (std::int64_t seq = 0; seq < 1 << store::KeyFilter::bucket_bits; ++seq)
        filter.add(seq, static_cast<std::int64_t>(random()));
    int wrong = 0;
    constexpr int asked = 100'000;
    for (int i = 0; i < asked; ++i) filter.buckets_with(static_cast<std::int64_t>(random()), [&](std::int64_t) { ++wrong; });
    CHECK(wrong <= asked / 500);
    filter.clear();
    filter.buckets_with(1, [&](std::int64_t) { FAIL("an empty filter has nothing"); });
}

TEST_CASE("the keys of the newest page forget the page before") {
    store::PageKeys keys;
    const auto rows = [&](std::int64_t hash) {
        std::vector<std::int64_t> found;
        keys.rows_with(hash, [&](std::int64_t seq) { found.push_back(seq); });
        return found;
    };
    CHECK(rows(7).empty());
    for (std::int64_t seq = 1; seq < 16'384; ++seq) keys.add(seq, seq << 40);
    keys.add(16'383, 7);
    CHECK(rows(5LL << 40) == std::vector<std::int64_t>{5});
    CHECK(rows(7) == std::vector<std::int64_t>{16'383});
    keys.add(16'384, 7);
    CHECK(rows(7) == std::vector<std::int64_t>{16'384});
    CHECK(rows(5LL << 40).empty());
    keys.clear();
    CHECK(rows(7).empty());
}

namespace {

core::Event event_of(const std::string& id, const std::string& stream = "prod") {
    core::Event event;
    event.event_id = id;
    event.stream_id = stream;
    return event;
}

}  // namespace

TEST_CASE("parts of an identity do not run into each other") {
    const store::EventIdentity one{"a", "bc", "d", "e", "f"}, other{"ab", "c", "d", "e", "f"};
    CHECK(store::key_hash_of(one, 7) != store::key_hash_of(other, 7));
    CHECK(store::key_hash_of(one, 7) != store::key_hash_of(one, 8));
    CHECK(store::key_hash_of(one, 7) == store::key_hash_of(store::EventIdentity{"a", "bc", "d", "e", "f"}, 7));
}

TEST_CASE("a batch knows which of its events repeat an earlier one") {
    const std::vector events{event_of("a"), event_of("b"), event_of("a"), event_of("a", "test"), event_of("b")};
    const store::AppendBatch batch{events, 42};
    const std::vector<std::size_t> expected{0, 1, 0, 3, 1};
    for (std::size_t i = 0; i < events.size(); ++i) CHECK(batch.first_of(i) == expected[i]);
    CHECK(batch.find(batch.key_hash(4), store::identity_of(events[4])) == 1);
    CHECK_FALSE(batch.find(batch.key_hash(4), store::identity_of(event_of("x"))).has_value());
}

TEST_CASE("the lock is given in the order of asking") {
    store::FairLock lock;
    REQUIRE(lock.acquire(0ms));
    std::vector<int> order;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        std::atomic<bool> started = false;
        threads.emplace_back([&, i] {
            started = true;
            started.notify_one();
            if (!lock.acquire(10s)) return;
            const store::FairLock::Guard guard{lock};
            order.push_back(i);
        });
        started.wait(false);
        while (lock.waiting() < static_cast<std::size_t>(i) + 1) std::this_thread::yield();
    }
    lock.release();
    threads.clear();
    CHECK(order == std::vector{0, 1, 2, 3});
}

TEST_CASE("who gives up waiting is left out") {
    store::FairLock lock;
    REQUIRE(lock.acquire(0ms));
    CHECK_FALSE(lock.acquire(1ms));
    CHECK(lock.waiting() == 0);
    lock.release();
    REQUIRE(lock.acquire(0ms));
    store::FairLock::Guard guard{lock};
    store::FairLock::Guard moved{std::move(guard)};
    moved.release();
    CHECK(lock.acquire(0ms));
}
