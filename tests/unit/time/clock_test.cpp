#include "time/clock.hpp"

#include <doctest/doctest.h>

using namespace varde;

TEST_CASE("a manual clock stands still until it is set") {
    time::ManualClock clock{core::instant_from_us(5)};
    CHECK(clock.now() == core::instant_from_us(5));
    CHECK(clock.now() == core::instant_from_us(5));
    clock.set(core::instant_from_us(3));
    CHECK(clock.now() == core::instant_from_us(3));
}

TEST_CASE("the system clock is in this century") {
    const core::Instant now = time::SystemClock{}.now();
    CHECK(now > core::Instant{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}});
    CHECK(now < core::Instant{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}});
}
