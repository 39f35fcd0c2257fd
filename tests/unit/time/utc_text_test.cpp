#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using time::format_utc;
using time::parse_utc;

namespace {

constexpr std::int64_t kNoonUs = 1'768'478'400'000'000;  // 2026-01-15T12:00:00Z

std::string problem_of(std::string_view text) {
    const auto parsed = parse_utc(text);
    if (parsed) return "read as " + format_utc(*parsed);
    CHECK(parsed.error().code == core::Errc::invalid_argument);
    return parsed.error().context;
}

constexpr const char* kUnreadable = "is not an ISO 8601 time such as 2026-01-15T12:00:00Z";
constexpr const char* kNoDate = "names a date that does not exist";
constexpr const char* kNoTime = "names a time of day that does not exist";
constexpr const char* kNaive = "must be timezone-aware UTC (ISO 8601, e.g. 2025-01-01T00:00:00Z)";
constexpr const char* kTooFine = "has more than six decimals of a second";

}  // namespace

TEST_CASE("every way to write one instant is read as that instant") {
    for (const auto* text :
         {"2026-01-15T12:00:00Z", "2026-01-15t12:00:00z", "2026-01-15 12:00:00Z", "2026-01-15T12:00Z", "2026-01-15T12:00:00.0Z",
          "2026-01-15T12:00:00.000000000Z", "2026-01-15T12:00:00,000Z", "2026-01-15T12:00:00+00:00", "2026-01-15T12:00:00-00:00",
          "2026-01-15T13:00:00+01:00", "2026-01-15T13:00:00+0100", "2026-01-15T13:00:00+01", "2026-01-15T06:30:00-05:30",
          "2026-01-16T11:59:00+23:59", "2026-01-15T13:00+01:00"}) {
        CAPTURE(text);
        const auto parsed = parse_utc(text);
        REQUIRE(parsed.has_value());
        CHECK(core::to_us(*parsed) == kNoonUs);
    }
}

TEST_CASE("fractions are read to the microsecond") {
    CHECK(core::to_us(*parse_utc("2026-01-15T12:00:00.5Z")) == kNoonUs + 500'000);
    CHECK(core::to_us(*parse_utc("2026-01-15T12:00:00.000001Z")) == kNoonUs + 1);
    CHECK(core::to_us(*parse_utc("2026-01-15T12:00:00.1234560Z")) == kNoonUs + 123'456);
    CHECK(problem_of("2026-01-15T12:00:00.1234567Z") == kTooFine);
    CHECK(problem_of("2026-01-15T12:00:00.Z") == kTooFine);
}

TEST_CASE("dates that do not exist are refused, as real sensor recordings have them") {
    for (const auto* text :
         {"2026-04-31T10:00:00Z", "2026-02-29T10:00:00Z", "2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z", "2026-00-10T10:00:00Z",
          "2026-01-00T10:00:00Z", "2026-01-32T10:00:00Z", "2100-02-29T00:00:00Z", "0000-01-01T00:00:00Z"}) {
        CAPTURE(text);
        CHECK(problem_of(text) == kNoDate);
    }
    CHECK(parse_utc("2028-02-29T00:00:00Z").has_value());
    CHECK(parse_utc("2000-02-29T00:00:00Z").has_value());
}

TEST_CASE("times of day that do not exist are refused, leap seconds too") {
    for (const auto* text : {"2026-01-15T24:00:00Z", "2026-01-15T12:60:00Z", "2026-01-15T12:00:60Z", "2016-12-31T23:59:60Z"}) {
        CAPTURE(text);
        CHECK(problem_of(text) == kNoTime);
    }
}

TEST_CASE("a time without a zone is refused with the reason") {
    CHECK(problem_of("2026-01-15T12:00:00") == kNaive);
    CHECK(problem_of("2026-01-15T12:00") == kNaive);
    CHECK(problem_of("2026-01-15T12:00:00.25") == kNaive);
}

TEST_CASE("what is no time at all is refused") {
    for (const auto* text :
         {"", "now", "2026-01-15", "2026-01-15T", "2026-1-5T12:00:00Z", "20260115T120000Z", "1768478400", "2026-01-15T12:00:00 Z",
          "2026-01-15T12:00:00Zx", " 2026-01-15T12:00:00Z", "2026-01-15T12:00:00+1", "2026-01-15T12:00:00+01:0",
          "2026-01-15T12:00:00+24:00", "2026-01-15T12:00:00+01:60", "2026/01/15T12:00:00Z", "-026-01-15T12:00:00Z",
          "2026-01-15T12:0a:00Z", "2026-01-15_12:00:00Z", "2026-01-15T12Z"}) {
        CAPTURE(text);
        CHECK(problem_of(text) == kUnreadable);
    }
    CHECK(problem_of(std::string(65, '2')) == kUnreadable);
    CHECK(problem_of(std::string{"2026-01-15T12:00:00Z\0", 21}) == kUnreadable);
}

TEST_CASE("the first and the last year are read and written") {
    CHECK(format_utc(*parse_utc("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00Z");
    CHECK(format_utc(*parse_utc("9999-12-31T23:59:59.999999Z")) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("instants are written with microseconds only when there are some") {
    CHECK(format_utc(core::instant_from_us(kNoonUs)) == "2026-01-15T12:00:00Z");
    CHECK(format_utc(core::instant_from_us(kNoonUs + 1)) == "2026-01-15T12:00:00.000001Z");
    CHECK(format_utc(core::instant_from_us(kNoonUs + 500'000)) == "2026-01-15T12:00:00.500000Z");
    CHECK(format_utc(core::instant_from_us(-1)) == "1969-12-31T23:59:59.999999Z");
    CHECK(time::format_utc_offset(core::instant_from_us(kNoonUs)) == "2026-01-15T12:00:00+00:00");
    CHECK(time::format_utc_offset(core::instant_from_us(kNoonUs + 10)) == "2026-01-15T12:00:00.000010+00:00");
}

TEST_CASE("what is written is read back as the same instant") {
    for (std::int64_t us = -62'000'000'000'000'000; us < 250'000'000'000'000'000; us += 7'777'777'777'777'777) {
        CHECK(core::to_us(*parse_utc(format_utc(core::instant_from_us(us)))) == us);
        CHECK(core::to_us(*parse_utc(time::format_utc_offset(core::instant_from_us(us)))) == us);
    }
}
