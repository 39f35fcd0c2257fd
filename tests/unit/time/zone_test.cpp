#include "time/zone.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using time::Zone;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }
/// The wall time as microseconds since 1970, from its text.
std::int64_t wall(std::string_view text) { return core::to_us(at(std::string{text} + "Z")); }
const Zone kOslo = Zone::find("Europe/Oslo").value();

}  // namespace

TEST_CASE("zones are found by their IANA name only") {
    CHECK(Zone::find("Europe/Oslo").has_value());
    CHECK(Zone::find("UTC").has_value());
    for (const auto* name : {"", "Nowhere/City", "../../etc/passwd", "/etc/localtime", ":Europe/Oslo", "Europe/../Europe/Oslo"}) {
        CHECK_MESSAGE(!Zone::find(name).has_value(), name);
    }
    CHECK_FALSE(Zone::find(std::string(65, 'A')).has_value());
}

TEST_CASE("Oslo is one hour east of UTC in winter and two in summer, also beyond 2037") {
    CHECK(kOslo.offset_seconds(at("2026-01-15T12:00:00Z")) == 3600);
    CHECK(kOslo.offset_seconds(at("2026-07-15T12:00:00Z")) == 7200);
    CHECK(kOslo.offset_seconds(at("2038-07-01T12:00:00Z")) == 7200);
    CHECK(kOslo.offset_seconds(at("2100-07-01T12:00:00Z")) == 7200);
    CHECK(Zone::utc().offset_seconds(at("2026-07-15T12:00:00Z")) == 0);
    CHECK(Zone::find("Asia/Kathmandu")->offset_seconds(at("2026-01-15T12:00:00Z")) == 5 * 3600 + 45 * 60);
}

TEST_CASE("instants become wall time with their microseconds, before 1970 too") {
    CHECK(kOslo.to_local_us(at("2026-01-15T12:00:00.000001Z")) == wall("2026-01-15T13:00:00.000001"));
    CHECK(kOslo.to_local_us(at("2026-07-15T23:30:00Z")) == wall("2026-07-16T01:30:00"));
    CHECK(Zone::utc().to_local_us(core::instant_from_us(-1)) == -1);
}

TEST_CASE("a wall time in the gap of spring is taken with the offset before the change") {
    CHECK(kOslo.from_local_us(wall("2026-03-29T01:59:59")) == at("2026-03-29T00:59:59Z"));
    CHECK(kOslo.from_local_us(wall("2026-03-29T02:00:00")) == at("2026-03-29T01:00:00Z"));
    CHECK(kOslo.from_local_us(wall("2026-03-29T02:30:00.5")) == at("2026-03-29T01:30:00.5Z"));
    CHECK(kOslo.from_local_us(wall("2026-03-29T03:00:00")) == at("2026-03-29T01:00:00Z"));
}

TEST_CASE("a wall time that comes twice in autumn is the first one") {
    CHECK(kOslo.from_local_us(wall("2025-10-26T02:00:00")) == at("2025-10-26T00:00:00Z"));
    CHECK(kOslo.from_local_us(wall("2025-10-26T02:59:59.999999")) == at("2025-10-26T00:59:59.999999Z"));
    CHECK(kOslo.from_local_us(wall("2025-10-26T03:00:00")) == at("2025-10-26T02:00:00Z"));
}

TEST_CASE("wall time and back is the same instant outside the doubled hour") {
    for (auto t = at("2026-01-01T00:30:00Z"); t < at("2026-12-31T00:00:00Z"); t += std::chrono::hours{13}) {
        if (t >= at("2026-10-25T01:00:00Z") && t < at("2026-10-25T02:00:00Z")) continue;
        CHECK(kOslo.from_local_us(kOslo.to_local_us(t)) == t);
    }
    CHECK(Zone::utc().from_local_us(-1) == core::instant_from_us(-1));
}

TEST_CASE("transitions start with the offset in force and list every change before the end") {
    const auto list = kOslo.transitions(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    REQUIRE(list.size() == 3);
    CHECK(list[0].at == at("2026-01-01T00:00:00Z"));
    CHECK(list[0].offset_seconds == 3600);
    CHECK(list[1].at == at("2026-03-29T01:00:00Z"));
    CHECK(list[1].offset_seconds == 7200);
    CHECK(list[2].at == at("2026-10-25T01:00:00Z"));
    CHECK(list[2].offset_seconds == 3600);
}

TEST_CASE("a change at the start is the start's offset, a change at the end is left out") {
    const auto change = at("2026-03-29T01:00:00Z");
    const auto from = kOslo.transitions(change, change + std::chrono::hours{1});
    REQUIRE(from.size() == 1);
    CHECK(from[0].offset_seconds == 7200);
    CHECK(kOslo.transitions(change - std::chrono::hours{1}, change).size() == 1);
    CHECK(kOslo.transitions(change - std::chrono::hours{1}, change + std::chrono::microseconds{1}).size() == 2);
}

TEST_CASE("a zone without daylight saving has no change") {
    CHECK(Zone::find("Asia/Tokyo")->transitions(at("2026-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")).size() == 1);
    CHECK(Zone::utc().transitions(at("1970-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z")).size() == 1);
}
