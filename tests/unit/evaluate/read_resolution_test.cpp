#include "evaluate/read_resolution.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace varde;
using evaluate::reach_of;
using evaluate::resolve_range;

namespace {

core::Instant utc(const char* text) { return *time::parse_utc(text); }
std::string show(core::Window window) { return time::format_utc(window.since) + " " + time::format_utc(window.until); }

constexpr std::int64_t kHour = 3'600'000'000;

wire::ReadDeclaration night(std::uint32_t pick) {
    wire::ReadDeclaration read;
    read.kind = VARDE_READ_LOCAL_DAY;
    read.zone = 0;
    read.local_pick = pick;
    read.local_begin_us = 22 * kHour;
    read.local_end_us = 6 * kHour;
    return read;
}

}  // namespace

TEST_CASE("a range is its anchors plus its offsets and never ends before it begins") {
    const core::Window window{utc("2026-01-15T11:00:00Z"), utc("2026-01-15T12:00:00Z")};
    wire::ReadDeclaration read;
    CHECK(resolve_range(read, window, nullptr) == window);
    read.begin_offset_us = -kHour;
    read.end_offset_us = kHour;
    CHECK(show(resolve_range(read, window, nullptr)) == "2026-01-15T10:00:00Z 2026-01-15T13:00:00Z");
    read.begin_anchor = VARDE_AT_UNTIL;
    read.end_anchor = VARDE_AT_SINCE;
    read.begin_offset_us = read.end_offset_us = 0;
    CHECK(show(resolve_range(read, window, nullptr)) == "2026-01-15T12:00:00Z 2026-01-15T12:00:00Z");
}

TEST_CASE("the night of a date begins on the local date of until") {
    const auto oslo = time::Zone::find("Europe/Oslo");
    REQUIRE(oslo.has_value());
    const auto at = [&](const char* until) {
        return show(resolve_range(night(VARDE_DAY_OF_UNTIL), {utc(until), utc(until)}, &*oslo));
    };
    CHECK(at("2026-01-15T12:00:00Z") == "2026-01-15T21:00:00Z 2026-01-16T05:00:00Z");
    CHECK(at("2026-01-15T23:30:00Z") == "2026-01-16T21:00:00Z 2026-01-17T05:00:00Z");  // 00:30 of the 16th in Oslo
}

TEST_CASE("the night that contains until, else the last one before it") {
    const auto oslo = time::Zone::find("Europe/Oslo");
    const auto at = [&](const char* until) {
        return show(resolve_range(night(VARDE_DAY_CONTAINING), {utc(until), utc(until)}, &*oslo));
    };
    CHECK(at("2026-01-15T12:00:00Z") == "2026-01-14T21:00:00Z 2026-01-15T05:00:00Z");
    CHECK(at("2026-01-15T02:00:00Z") == "2026-01-14T21:00:00Z 2026-01-15T05:00:00Z");
    CHECK(at("2026-01-15T21:00:00Z") == "2026-01-15T21:00:00Z 2026-01-16T05:00:00Z");  // its first instant
    CHECK(at("2026-01-15T05:00:00Z") == "2026-01-14T21:00:00Z 2026-01-15T05:00:00Z");  // its end is outside, but it was the last
}

TEST_CASE("a night over a change of the clock is as long as it was") {
    const auto oslo = time::Zone::find("Europe/Oslo");
    const auto at = [&](const char* until) {
        return show(resolve_range(night(VARDE_DAY_CONTAINING), {utc(until), utc(until)}, &*oslo));
    };
    CHECK(at("2026-03-29T12:00:00Z") == "2026-03-28T21:00:00Z 2026-03-29T04:00:00Z");  // seven hours
    CHECK(at("2026-10-25T12:00:00Z") == "2026-10-24T20:00:00Z 2026-10-25T05:00:00Z");  // nine
}

TEST_CASE("an unknown zone counts as UTC") {
    const core::Instant until = utc("2026-01-15T12:00:00Z");
    CHECK(show(resolve_range(night(VARDE_DAY_OF_UNTIL), {until, until}, nullptr)) == "2026-01-15T22:00:00Z 2026-01-16T06:00:00Z");
}

TEST_CASE("the reach of a read is what must be kept live") {
    using std::chrono::hours;
    wire::ReadDeclaration read;
    CHECK(reach_of(read, hours{2}) == hours{2});
    read.begin_offset_us = -kHour;
    CHECK(reach_of(read, hours{2}) == hours{3});
    read.begin_anchor = VARDE_AT_UNTIL;
    CHECK(reach_of(read, hours{2}) == hours{1});
    CHECK(reach_of(night(VARDE_DAY_CONTAINING), hours{1}) >= hours{48});
    read.kind = VARDE_READ_LATEST;
    CHECK(reach_of(read, hours{2}) == hours{0});
}
