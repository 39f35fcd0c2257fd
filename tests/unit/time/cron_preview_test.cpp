#include "time/cron_preview.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using time::PreviewReason;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }
std::vector<time::PreviewLine> lines(std::string_view expression, std::string_view zone, std::string_view after,
                                     std::size_t count) {
    return time::preview(time::CronSpec::parse(expression).value(), *time::ZoneOffsets::find(zone), at(after), count);
}

}  // namespace

TEST_CASE("a natural time needs no words") {
    const auto found = lines("0 12 * * *", "Europe/Oslo", "2026-01-15T00:00:00Z", 3);
    REQUIRE(found.size() == 3);
    CHECK(found[0].at == at("2026-01-15T11:00:00Z"));
    CHECK(found[0].offset_seconds == 3600);
    CHECK(found[2].reason == PreviewReason::natural);
    CHECK(found[2].text.empty());
}

TEST_CASE("a fire at the end of a gap says which time does not exist") {
    const auto found = lines("30 2 * * *", "Europe/Oslo", "2026-03-28T12:00:00Z", 2);
    REQUIRE(found.size() == 2);
    CHECK(found[0].at == at("2026-03-29T01:00:00Z"));
    CHECK(found[0].reason == PreviewReason::end_of_gap);
    CHECK(found[0].text == "2026-03-29 02:30 does not exist: clocks go from 02:00 to 03:00; fires once at the end of the gap");
    CHECK(found[1].reason == PreviewReason::natural);
}

TEST_CASE("a time lost in a gap is a line of its own that does not count as a fire") {
    const auto hourly = lines("30 * * * *", "Europe/Oslo", "2026-03-29T00:00:00Z", 2);
    REQUIRE(hourly.size() == 3);
    CHECK(hourly[0].at == at("2026-03-29T00:30:00Z"));
    CHECK_FALSE(hourly[1].fires());
    CHECK(hourly[1].text ==
          "2026-03-29 02:30 does not exist: clocks go from 02:00 to 03:00; the hour field is *, so the next nominal time serves");
    CHECK(hourly[2].at == at("2026-03-29T01:30:00Z"));
    const auto apia = lines("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", 1);
    REQUIRE(apia.size() == 2);
    CHECK(apia[0].reason == PreviewReason::lost_in_gap);
    CHECK(apia[0].text ==
          "2011-12-30 12:00 does not exist: clocks go from 00:00 to 00:00; a jump of more than three hours adds no fire");
}

TEST_CASE("both passes of an overlap are named, and whether the second fires") {
    const auto plain = lines("30 2 * * *", "Europe/Oslo", "2026-10-24T12:00:00Z", 2);
    CHECK(plain[0].reason == PreviewReason::first_pass);
    CHECK(plain[0].text == "first time that clocks show 02:30; does not fire the second time");
    CHECK(plain[1].reason == PreviewReason::natural);
    const auto repeats = lines("*/30 2 * * *", "Europe/Oslo", "2026-10-24T12:00:00Z", 5);
    CHECK(repeats[0].text == "first time that clocks show 02:00; fires also the second time");
    CHECK(repeats[2].reason == PreviewReason::second_pass);
    CHECK(repeats[3].text == "second time that clocks show 02:30");
    CHECK(repeats[4].reason == PreviewReason::natural);
}

TEST_CASE("a preview ends where nothing more is due") {
    CHECK(lines("0 0 0 1 1 * 2027", "UTC", "2026-01-15T00:00:00Z", 5).size() == 1);
    CHECK(lines("0 0 30 2 *", "UTC", "2026-01-15T00:00:00Z", 5).empty());
    CHECK(lines("* * * * *", "UTC", "2026-01-15T00:00:00Z", 0).empty());
}

TEST_CASE("local times carry their offset") {
    CHECK(time::format_local(at("2026-01-15T12:00:00Z"), 3600) == "2026-01-15T13:00:00+01:00");
    CHECK(time::format_local(at("2026-01-15T12:00:00.5Z"), -12'600) == "2026-01-15T08:30:00.500000-03:30");
    CHECK(time::format_local(at("1900-01-01T00:00:00Z"), 2580 + 12) == "1900-01-01T00:43:12+00:43:12");
}

TEST_CASE("every reason has its name") {
    CHECK(time::name_of(PreviewReason::natural) == "natural");
    CHECK(time::name_of(PreviewReason::end_of_gap) == "end_of_gap");
    CHECK(time::name_of(PreviewReason::first_pass) == "first_pass");
    CHECK(time::name_of(PreviewReason::second_pass) == "second_pass");
    CHECK(time::name_of(PreviewReason::lost_in_gap) == "lost_in_gap");
}
