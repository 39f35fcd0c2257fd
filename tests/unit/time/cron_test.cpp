#include "time/cron.hpp"

#include "time/cron_preview.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace varde;
using time::CronOptions;
using time::CronSpec;
using time::GapPolicy;
using time::OverlapPolicy;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

/// The next times after `after` as wall time of the zone, without the year and the seconds: "03-10T03:00-04:00".
std::string fires(std::string_view expression, std::string_view zone, std::string_view after, int count,
                  const CronOptions& options = {}) {
    const auto spec = CronSpec::parse(expression, options).value();
    const auto offsets = time::ZoneOffsets::find(zone);
    std::string text;
    auto last = at(after);
    for (int i = 0; i < count; ++i) {
        const auto next = spec.next(last, *offsets);
        if (!next) return text + "none";
        last = *next;
        const auto& span = offsets->spans()[offsets->span_at(core::to_us(last) / 1'000'000)];
        const auto wall = time::format_local(last, span.offset);
        text += wall.substr(5, 11) + wall.substr(19) + " ";
    }
    return text;
}
constexpr auto kNewYork = "America/New_York";

}  // namespace

TEST_CASE("the next time is strictly later, on a whole second") {
    const auto spec = CronSpec::parse("0 12 * * *").value();
    const auto utc = time::ZoneOffsets::find("UTC");
    CHECK(spec.next(at("2026-01-15T12:00:00Z"), *utc) == at("2026-01-16T12:00:00Z"));
    CHECK(spec.next(at("2026-01-15T11:59:59.999999Z"), *utc) == at("2026-01-15T12:00:00Z"));
    CHECK(spec.next(at("2026-01-15T12:00:00.000001Z"), *utc) == at("2026-01-16T12:00:00Z"));
    CHECK(spec.next(at("1969-12-31T11:59:59.5Z"), *utc) == at("1969-12-31T12:00:00Z"));
}

TEST_CASE("seconds, minutes, hours, days, months and years carry over") {
    CHECK(fires("59 23 31 12 *", "UTC", "2026-12-31T23:59:00Z", 1) == "12-31T23:59+00:00 ");
    CHECK(fires("*/20 9,17 * * *", "UTC", "2026-01-15T09:40:00Z", 4) ==
          "01-15T17:00+00:00 01-15T17:20+00:00 01-15T17:40+00:00 01-16T09:00+00:00 ");
    const auto utc = time::ZoneOffsets::find("UTC");
    CHECK(CronSpec::parse("30 59 23 28 2 * 2027")->next(at("2026-01-01T00:00:00Z"), *utc) == at("2027-02-28T23:59:30Z"));
    CHECK(CronSpec::parse("0 0 29 2 *")->next(at("2096-02-29T00:00:00Z"), *utc) == at("2104-02-29T00:00:00Z"));
}

TEST_CASE("two restricted day fields are an or, on request an and") {
    CHECK(fires("0 0 13 * FRI", "UTC", "2026-02-01T00:00:00Z", 3) == "02-06T00:00+00:00 02-13T00:00+00:00 02-20T00:00+00:00 ");
    CronOptions both;
    both.day_match = time::DayMatch::both;
    CHECK(fires("0 0 13 * FRI", "UTC", "2026-02-14T00:00:00Z", 2, both) == "03-13T00:00+00:00 11-13T00:00+00:00 ");
    CHECK(fires("0 0 */10 * SUN", "UTC", "2026-02-01T00:00:00Z", 2) == "02-08T00:00+00:00 02-11T00:00+00:00 ");
}

TEST_CASE("the last day, the nearest weekday and the nth weekday of a month") {
    CHECK(fires("0 0 L * *", "UTC", "2028-02-01T00:00:00Z", 2) == "02-29T00:00+00:00 03-31T00:00+00:00 ");
    // 2026-02-28 is a Saturday, 2026-08-01 too, 2026-03-15 a Sunday.
    CHECK(fires("0 0 LW * *", "UTC", "2026-02-01T00:00:00Z", 1) == "02-27T00:00+00:00 ");
    CHECK(fires("0 0 1W * *", "UTC", "2026-07-02T00:00:00Z", 1) == "08-03T00:00+00:00 ");
    CHECK(fires("0 0 15W * *", "UTC", "2026-03-01T00:00:00Z", 1) == "03-16T00:00+00:00 ");
    CHECK(fires("0 0 * * MON#5", "UTC", "2026-01-01T00:00:00Z", 2) == "03-30T00:00+00:00 06-29T00:00+00:00 ");
    CHECK(fires("0 0 * * 5L", "UTC", "2026-01-01T00:00:00Z", 2) == "01-30T00:00+00:00 02-27T00:00+00:00 ");
}

TEST_CASE("a day of the month, or the last one where the month is shorter, fires once a month") {
    CHECK(fires("0 0 30L * *", "UTC", "2026-01-01T00:00:00Z", 3) == "01-30T00:00+00:00 02-28T00:00+00:00 03-30T00:00+00:00 ");
    CHECK(fires("0 0 29L * *", "UTC", "2028-01-01T00:00:00Z", 3) == "01-29T00:00+00:00 02-29T00:00+00:00 03-29T00:00+00:00 ");
    CHECK(fires("0 0 31l 4 *", "UTC", "2026-01-01T00:00:00Z", 1) == "04-30T00:00+00:00 ");
    CHECK(fires("0 0 5L,30L 2 *", "UTC", "2026-01-01T00:00:00Z", 2) == "02-05T00:00+00:00 02-28T00:00+00:00 ");
}

TEST_CASE("what no day has is known when the expression is read") {
    CronOptions both;
    both.day_match = time::DayMatch::both;
    for (const auto* text : {"* * 30 2 *", "* * 31 4,6,9,11 *", "* * L-30 2 *", "* * 31W 4 *", "0 0 0 29 2 * 2025-2027"}) {
        CHECK_MESSAGE(!CronSpec::parse(text)->fires(), text);
        CHECK(!CronSpec::parse(text)->next(at("2026-01-01T00:00:00Z"), *time::ZoneOffsets::find("UTC")).has_value());
    }
    CHECK_FALSE(CronSpec::parse("* * 1 * SUN#2", both)->fires());
    CHECK(CronSpec::parse("0 0 29 2 *")->fires());
}

TEST_CASE("the longest wait, forty years for a 29 February on one weekday, is found, and a past year ends the search") {
    CronOptions both;
    both.day_match = time::DayMatch::both;
    const auto utc = time::ZoneOffsets::find("UTC");
    // 2072-02-29 is a Monday and so is 2112-02-29; 2100 is no leap year.
    CHECK(CronSpec::parse("0 0 29 2 MON", both)->next(at("2072-02-29T00:00:00Z"), *utc) == at("2112-02-29T00:00:00Z"));
    CHECK(!CronSpec::parse("0 0 0 1 1 * 2020")->next(at("2026-01-01T00:00:00Z"), *utc).has_value());
    CHECK(!CronSpec::parse("0 0 1 1 *")->next(at("2199-06-01T00:00:00Z"), *utc).has_value());
    CHECK(!CronSpec::parse("0 0 1 1 *")->next(at("9999-06-01T00:00:00Z"), *utc).has_value());
    CHECK(CronSpec::parse("0 0 1 1 *")->next(at("0001-06-01T00:00:00Z"), *utc) == at("1900-01-01T00:00:00Z"));
}

TEST_CASE("in the gap of spring plain times fire once, at its end") {
    constexpr auto kBefore = "2024-03-10T00:00:00-05:00";
    CHECK(fires("30 2 * * *", kNewYork, kBefore, 2) == "03-10T03:00-04:00 03-11T02:30-04:00 ");
    CHECK(fires("0,30 2 * * *", kNewYork, kBefore, 2) == "03-10T03:00-04:00 03-11T02:00-04:00 ");
    CHECK(fires("0 */2 * * *", kNewYork, kBefore, 2) == "03-10T03:00-04:00 03-10T04:00-04:00 ");
    CHECK(fires("15 2 * * *", "Australia/Lord_Howe", "2026-10-04T00:00:00+10:30", 1) == "10-04T02:30+11:00 ");
    CHECK(fires("30 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", 1) == "11-04T01:00-02:00 ");
}

TEST_CASE("the end of the gap is not due again after it fired, and a start just before it finds it") {
    CHECK(fires("30 2 * * *", kNewYork, "2024-03-10T03:00:00-04:00", 1) == "03-11T02:30-04:00 ");
    CHECK(fires("30 2 * * *", kNewYork, "2024-03-10T01:59:59.5-05:00", 1) == "03-10T03:00-04:00 ");
    CHECK(fires("30 2,3 * * *", kNewYork, "2024-03-10T00:00:00-05:00", 2) == "03-10T03:00-04:00 03-10T03:30-04:00 ");
}

TEST_CASE("a star as hour, a policy and a jump of a whole day add nothing for a gap") {
    CHECK(fires("30 * * * *", kNewYork, "2024-03-10T01:30:00-05:00", 1) == "03-10T03:30-04:00 ");
    CronOptions skip;
    skip.gap = GapPolicy::skip;
    CHECK(fires("30 2 * * *", kNewYork, "2024-03-10T00:00:00-05:00", 1, skip) == "03-11T02:30-04:00 ");
    CHECK(fires("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", 1) == "12-31T12:00+14:00 ");
    CHECK(fires("15 3 * * SUN", "Pacific/Apia", "2011-12-28T00:00:00-10:00", 1) == "01-01T03:15+14:00 ");
}

TEST_CASE("in the overlap of autumn plain times fire in the first pass, others in both") {
    constexpr auto kBefore = "2024-11-03T00:45:00-04:00";
    CHECK(fires("30 1 * * *", kNewYork, kBefore, 2) == "11-03T01:30-04:00 11-04T01:30-05:00 ");
    CHECK(fires("0,30 1 * * *", kNewYork, kBefore, 3) == "11-03T01:00-04:00 11-03T01:30-04:00 11-04T01:00-05:00 ");
    CHECK(fires("*/30 1 * * *", kNewYork, kBefore, 4) ==
          "11-03T01:00-04:00 11-03T01:30-04:00 11-03T01:00-05:00 11-03T01:30-05:00 ");
    CHECK(fires("30 * * * *", kNewYork, kBefore, 3) == "11-03T01:30-04:00 11-03T01:30-05:00 11-03T02:30-05:00 ");
    CHECK(fires("* * * * *", kNewYork, "2024-11-03T01:59:00-04:00", 1) == "11-03T01:00-05:00 ");
    CHECK(fires("30 2 * * *", "Africa/Casablanca", "2024-03-10T02:00:00+00:00", 1) == "03-11T02:30+00:00 ");
}

TEST_CASE("the overlap policy decides instead, from any start") {
    CronOptions options;
    options.overlap = OverlapPolicy::second;
    CHECK(fires("30 1 * * *", kNewYork, "2024-11-03T00:00:00-04:00", 2, options) == "11-03T01:30-05:00 11-04T01:30-05:00 ");
    CHECK(fires("30 1 * * *", kNewYork, "2024-11-03T01:45:00-04:00", 1, options) == "11-03T01:30-05:00 ");
    options.overlap = OverlapPolicy::both;
    CHECK(fires("30 1 * * *", kNewYork, "2024-11-03T00:00:00-04:00", 2, options) == "11-03T01:30-04:00 11-03T01:30-05:00 ");
    options.overlap = OverlapPolicy::first;
    CHECK(fires("*/30 * * * *", kNewYork, "2024-11-03T01:30:00-04:00", 1, options) == "11-03T02:00-05:00 ");
    CHECK(fires("*/30 * * * *", kNewYork, "2024-11-03T01:10:00-05:00", 1, options) == "11-03T02:00-05:00 ");
}

TEST_CASE("a fire that lies in a gap every year is found, or not, without a long search") {
    CronOptions options;
    options.day_match = time::DayMatch::both;
    options.gap = GapPolicy::skip;
    // The second Sunday of March at 02:30 does not exist in New York from 2007 on.
    CHECK(fires("30 2 * 3 SUN#2", kNewYork, "2026-01-01T00:00:00Z", 1, options) == "none");
    options.gap = GapPolicy::run_once;
    CHECK(fires("30 2 * 3 SUN#2", kNewYork, "2026-01-01T00:00:00Z", 2, options) == "03-08T03:00-04:00 03-14T03:00-04:00 ");
}
