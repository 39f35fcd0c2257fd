// next() per second on one core: each answer is the next question. Five expressions in UTC and in a zone with daylight saving; the same
// loop for robfig/cron is in robfig_cron/main.go. Limits: 5 M/s in UTC, 1 M/s in the zone, 50 us for the slowest single answer.
#include "time/cron.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

namespace {

using namespace varde;
using Clock = std::chrono::steady_clock;

constexpr int kAnswers = 2'000'000;
constexpr std::array kExpressions{"*/5 * * * *", "30 2 * * *", "0 0 * * MON-FRI", "15 10 1,15 * *", "0 0 29 2 *"};

[[noreturn]] void give_up(const std::string& what) {
    fmt::print(stderr, "bench_cron: {}\n", what);
    std::exit(1);
}

time::CronSpec spec_of(const char* expression) {
    auto spec = time::CronSpec::parse(expression);
    if (!spec) give_up(spec.error().context);
    return *spec;
}

/// Nanoseconds of processor time, so that other programs on the machine do not count.
double processor_ns() { return 1e9 / CLOCKS_PER_SEC * static_cast<double>(std::clock()); }

/// Nanoseconds of one answer, best of three chains. From 2026 on, again from there when the chain passes 2100.
double chain(const time::CronSpec& spec, const time::ZoneOffsets& zone, core::Instant start) {
    const auto turn = start + std::chrono::years{74};
    double best = 1e9;
    for (int n = 0; n < 3; ++n) {
        auto at = start;
        const auto begin = processor_ns();
        for (int i = 0; i < kAnswers; ++i) {
            const auto next = spec.next(at, zone);
            at = next && *next < turn ? *next : start;
        }
        best = std::min(best, (processor_ns() - begin) / kAnswers);
    }
    return best;
}

/// The slowest single answer, the best of five tries each: the machine interrupts, the search does not. From every third hour of 12 years.
double slowest(const time::CronSpec& spec, const time::ZoneOffsets& zone, core::Instant start) {
    double worst = 0;
    [[maybe_unused]] volatile int found = 0;  // so that no answer is optimised away
    for (int i = 0; i < 12 * 365 * 8; ++i) {
        const auto at = start + i * std::chrono::hours{3};
        double best = 1e9;
        for (int n = 0; n < 5; ++n) {
            const auto begin = Clock::now();
            const auto next = spec.next(at, zone);
            best = std::min(best, std::chrono::duration<double, std::nano>{Clock::now() - begin}.count());
            found = next ? 1 : 0;
        }
        worst = std::max(worst, best);
    }
    return worst;
}

/// False if a limit is broken.
bool measure(const char* zone_name, double limit) {
    const auto zone = time::ZoneOffsets::find(zone_name);
    const auto start = time::parse_utc("2026-01-15T12:00:00Z");
    if (!zone || !start) give_up("no zone database");
    double sum = 0;
    double worst = 0;
    for (const auto* expression : kExpressions) {
        const auto spec = spec_of(expression);
        const auto ns = chain(spec, *zone, *start);
        const auto longest = slowest(spec, *zone, *start);
        fmt::print("{:18} {:16} {:8.1f} ns  {:6.2f} M/s  slowest {:7.0f} ns\n", zone_name, expression, ns, 1e3 / ns, longest);
        sum += ns;
        worst = std::max(worst, longest);
    }
    const auto rate = 1e3 * kExpressions.size() / sum;
    const bool kept = rate >= limit && worst < 50'000;
    fmt::print("{:18} all five         {:8.1f} ns  {:6.2f} M/s  limit {} M/s: {}\n", zone_name, sum / kExpressions.size(), rate,
               limit, kept ? "kept" : "BROKEN");
    return kept;
}

/// The longest searches that there are.
bool longest_searches() {
    const auto start = time::parse_utc("2072-02-29T00:00:00Z");
    time::CronOptions both;
    both.day_match = time::DayMatch::both;
    both.gap = time::GapPolicy::skip;
    double worst = 0;
    for (const auto* expression : {"0 0 29 2 MON", "30 2 * 3 SUN#2", "0 0 0 1 1 * 2198"}) {
        const auto spec = time::CronSpec::parse(expression, both);
        if (!spec || !start) give_up("cannot start");
        worst = std::max(worst, slowest(*spec, *time::ZoneOffsets::find("America/New_York"), *start));
    }
    fmt::print("longest searches   slowest {:.0f} ns, limit 50000 ns: {}\n", worst, worst < 50'000 ? "kept" : "BROKEN");
    return worst < 50'000;
}

}  // namespace

int main() {
    const bool utc = measure("UTC", 5);
    const bool zone = measure("America/New_York", 1);
    const bool searches = longest_searches();
    return utc && zone && searches ? 0 : 1;
}
