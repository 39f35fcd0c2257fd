#include "time/interval.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using time::Interval;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

}  // namespace

TEST_CASE("slots are whole periods from the epoch, or from the phase after it") {
    const auto every = Interval::parse("@every 90m").value();
    CHECK(every.next(at("2022-03-23T12:53:02Z")) == at("2022-03-23T13:30:00Z"));
    CHECK(every.next(at("2022-03-23T13:30:00Z")) == at("2022-03-23T15:00:00Z"));
    const auto phase = Interval::parse("@every 2m/63.123456s").value();
    CHECK(phase.next(at("2022-03-23T13:49:30.5Z")) == at("2022-03-23T13:51:03.123456Z"));
    CHECK(phase.next(at("2022-03-23T13:51:03.123456Z")) == at("2022-03-23T13:53:03.123456Z"));
}

TEST_CASE("an anchor in the future or past makes the same slots, before 1970 too") {
    const auto hour = std::chrono::hours{1};
    CHECK(Interval::make(hour, at("2030-01-01T00:17:00Z"))->next(at("2026-01-15T12:00:00Z")) == at("2026-01-15T12:17:00Z"));
    CHECK(Interval::make(hour)->next(at("1969-12-31T22:30:00Z")) == at("1969-12-31T23:00:00Z"));
    CHECK(Interval::make(hour)->next(at("1969-12-31T23:00:00Z")) == at("1970-01-01T00:00:00Z"));
}

TEST_CASE("durations are sums of numbers with units") {
    CHECK(Interval::parse("@every 1h30m")->period() == std::chrono::minutes{90});
    CHECK(Interval::parse("@every 1d")->period() == std::chrono::days{1});
    CHECK(Interval::parse("@every 250ms")->period() == std::chrono::milliseconds{250});
    CHECK(Interval::parse("@every 1.5s")->period() == std::chrono::milliseconds{1500});
    CHECK(Interval::parse("@every 5000us")->period() == std::chrono::milliseconds{5});
}

TEST_CASE("what is no duration, too short or too long is refused") {
    for (const auto* text : {"@every", "@every ", "@every 5", "@every m", "@every -5m", "@every 5m/", "@every 5m/x", "@every 5 m",
                             "@every 0s", "@every 1us", "@every 401d", "@every 1.s", "@every .5s", "@every 1.5.5s",
                             "@every 0.0000001s", "@every 99999999999999999999h", "every 5m"}) {
        const auto read = Interval::parse(text);
        REQUIRE_MESSAGE(!read.has_value(), text);
        CHECK(read.error().code == core::Errc::invalid_argument);
        CHECK(read.error().context.starts_with("interval: "));
    }
    CHECK_FALSE(Interval::make(core::Microseconds{0}).has_value());
}
