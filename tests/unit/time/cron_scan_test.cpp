#include "unit/time/cron_scan.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

/// Random expressions over one stretch of each of the places.
void compare(const std::string& zone, std::string_view begin, std::int64_t steps, std::int64_t step, int expressions) {
    const cron_scan::Stretch stretch{zone, at(begin), steps, step};
    const auto offsets = time::ZoneOffsets::find(zone);
    REQUIRE(offsets != nullptr);
    std::mt19937_64 random{20'260'115};
    std::int64_t slowest_ns = 0;
    for (int i = 0; i < expressions; ++i) {
        const auto cron = cron_scan::random_cron(random, step == 1);
        const auto difference = cron_scan::difference(cron, stretch, *offsets, random, 20, slowest_ns);
        CHECK_MESSAGE(difference.empty(), zone << ": " << difference);
    }
}

}  // namespace

TEST_CASE("random expressions fire in a whole year exactly where a scan of its minutes finds them") {
    constexpr std::int64_t kYear = 366 * 1440;
    for (const auto* zone :
         {"UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll"}) {
        compare(zone, "2024-01-01T00:00:00Z", kYear, 60, 12);
    }
}

TEST_CASE("random expressions with seconds do so around a gap and around an overlap") {
    constexpr std::int64_t kThreeDays = 3 * 86'400;
    compare("Europe/Oslo", "2026-03-28T00:00:00Z", kThreeDays, 1, 12);
    compare("Europe/Oslo", "2026-10-24T00:00:00Z", kThreeDays, 1, 12);
    compare("America/Sao_Paulo", "2018-11-03T00:00:00Z", kThreeDays, 1, 12);
    compare("Pacific/Apia", "2011-12-29T00:00:00Z", kThreeDays, 1, 12);
}
