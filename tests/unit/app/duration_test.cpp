#include "app/composition.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using varde::app::parse_duration;

TEST_CASE("a duration is a whole number and a unit") {
    CHECK(parse_duration("30s") == varde::core::Microseconds{30s});
    CHECK(parse_duration("5m") == varde::core::Microseconds{5min});
    CHECK(parse_duration("2h") == varde::core::Microseconds{2h});
    CHECK(parse_duration("1d") == varde::core::Microseconds{24h});
}

TEST_CASE("a duration without unit, sign or sense is refused by name") {
    for (const auto* text : {"", "5", "m", "0s", "-5m", "5 m", "5x", "99999999999999999999s", "5mm"}) {
        CAPTURE(text);
        const auto parsed = parse_duration(text);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().context.find('\'' + std::string{text} + '\'') != std::string::npos);
    }
}

TEST_CASE("random text is lower-case hex of the asked length and does not repeat") {
    CHECK(varde::app::random_hex(0).empty());
    CHECK(varde::app::random_hex(32).size() == 64);
    CHECK(varde::app::random_hex(256).find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(varde::app::random_hex(16) != varde::app::random_hex(16));
}
