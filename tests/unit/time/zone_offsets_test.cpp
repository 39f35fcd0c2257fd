#include "time/zone_offsets.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace varde;
using time::ZoneOffsets;

namespace {

std::int64_t second(std::string_view text) { return core::to_us(time::parse_utc(text).value()) / 1'000'000; }

}  // namespace

TEST_CASE("the table has the offset of every instant that the zone has") {
    for (const auto* name : {"UTC", "Europe/Oslo", "America/New_York", "Pacific/Apia", "Africa/Casablanca", "Asia/Tehran"}) {
        const auto zone = time::Zone::find(name).value();
        const auto table = ZoneOffsets::find(name);
        REQUIRE(table != nullptr);
        for (auto at = second("1901-01-01T00:00:00Z"); at < second("2199-12-31T00:00:00Z"); at += 86'400 * 11 + 1234) {
            const auto& span = table->spans()[table->span_at(at)];
            CHECK(span.begin <= at);
            CHECK(at < span.end);
            CHECK(span.offset == zone.offset_seconds(core::instant_from_us(at * 1'000'000)));
        }
    }
}

TEST_CASE("spans follow each other, and each knows the gap or overlap at its begin") {
    const auto oslo = ZoneOffsets::find("Europe/Oslo");
    const auto& spring = oslo->spans()[oslo->span_at(second("2026-03-29T01:00:00Z"))];
    CHECK(spring.begin == second("2026-03-29T01:00:00Z"));
    CHECK(spring.end == second("2026-10-25T01:00:00Z"));
    CHECK(spring.gap() == 3600);
    CHECK(spring.overlap() == 0);
    const auto& autumn = oslo->spans()[oslo->span_at(spring.end)];
    CHECK(autumn.overlap() == 3600);
    CHECK(autumn.before == spring.offset);
    CHECK(oslo->span_at(spring.begin - 1) + 1 == oslo->span_at(spring.begin));
    for (std::size_t i = 1; i < oslo->spans().size(); ++i) {
        CHECK(oslo->spans()[i].begin == oslo->spans()[i - 1].end);
        CHECK(oslo->spans()[i].offset != oslo->spans()[i - 1].offset);
    }
}

TEST_CASE("outside of the calendar the first and the last span stand") {
    const auto utc = ZoneOffsets::find("UTC");
    CHECK(utc->spans().size() == 1);
    CHECK(utc->span_at(-100'000'000'000) == 0);
    CHECK(utc->span_at(100'000'000'000) == 0);
    const auto oslo = ZoneOffsets::find("Europe/Oslo");
    CHECK(oslo->span_at(time::kCalendarEnd) == oslo->spans().size() - 1);
    CHECK(oslo->span_at(time::kCalendarEnd - 1) == oslo->spans().size() - 1);
}

TEST_CASE("a zone is read once, also by several threads, and an unknown one is none") {
    std::vector<std::shared_ptr<const ZoneOffsets>> found(4);
    std::vector<std::jthread> threads;
    for (auto& one : found) threads.emplace_back([&one] { one = ZoneOffsets::find("Asia/Kathmandu"); });
    threads.clear();
    for (const auto& one : found) CHECK(one == found[0]);
    CHECK(ZoneOffsets::find("Nowhere/City") == nullptr);
    CHECK(ZoneOffsets::find("") == nullptr);
}
