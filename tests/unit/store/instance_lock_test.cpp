#include "store/instance_lock.hpp"

#include "fixture.hpp"

#include <future>

using namespace varde;
using namespace varde::store::testing;
using std::chrono::milliseconds;

TEST_CASE("one host at a time schedules on a SQLite file, and the next is told which") {
    Fixture<OnSqlite> fixture;
    auto first = value_of(store::InstanceLock::take(fixture.database(), milliseconds{0}));
    const auto other = fixture.connect();
    const auto refused = store::InstanceLock::take(*other, milliseconds{30});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::conflict);
    CHECK(refused.error().context == "another host schedules on this file (pid " + std::to_string(::getpid()) + ")");
    {
        const auto moved = std::move(first);
        CHECK_FALSE(store::InstanceLock::take(*other, milliseconds{0}).has_value());
    }
    CHECK(store::InstanceLock::take(*other, milliseconds{0}).has_value());
}

TEST_CASE("a host waits for its predecessor that is going down") {
    Fixture<OnSqlite> fixture;
    const auto other = fixture.connect();
    auto first = std::make_unique<store::InstanceLock>(value_of(store::InstanceLock::take(fixture.database(), milliseconds{0})));
    auto second = std::async(std::launch::async, [&] { return store::InstanceLock::take(*other, std::chrono::minutes{1}); });
    CHECK(second.wait_for(milliseconds{50}) == std::future_status::timeout);
    first.reset();
    CHECK(second.get().has_value());
}

TEST_CASE("hosts on PostgreSQL share the work") {
    Fixture<OnPostgres> fixture;
    if (!fixture.ready()) return;
    const auto first = store::InstanceLock::take(fixture.database(), milliseconds{0});
    CHECK(first.has_value());
    CHECK(store::InstanceLock::take(fixture.database(), milliseconds{0}).has_value());
}
