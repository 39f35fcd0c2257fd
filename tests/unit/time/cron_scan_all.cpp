// The long form of cron_scan_test.cpp, run by hand: cron_scan_all [EXPRESSIONS] [SEED]. Random expressions, dealt out over all zones of
// the system, against a scan of every minute from 2024 to 2027, and as many with seconds around changes of the clock.
#include "unit/time/cron_scan.hpp"

#include "time/utc_text.hpp"
#include "time/zone.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include <fmt/format.h>

using namespace varde;

namespace {

std::vector<std::string> zone_names() {
    std::set<std::string> names;
    const std::filesystem::path root{"/usr/share/zoneinfo"};
    for (const auto& entry : std::filesystem::recursive_directory_iterator{root}) {
        const auto name = entry.path().lexically_relative(root).string();
        if (entry.is_directory() || name.starts_with("posix/") || name.starts_with("right/")) continue;
        if (time::Zone::find(name)) names.insert(name);
    }
    return {names.begin(), names.end()};
}

struct Tally {
    std::int64_t expressions = 0;
    std::int64_t differences = 0;
    std::int64_t slowest_ns = 0;

    void add(const std::string& zone, const cron_scan::Stretch& stretch, const time::ZoneOffsets& offsets,
             std::mt19937_64& random) {
        const auto cron = cron_scan::random_cron(random, stretch.step() == 1);
        const auto difference = cron_scan::difference(cron, stretch, offsets, random, 200, slowest_ns);
        ++expressions;
        if (difference.empty()) return;
        ++differences;
        std::cout << zone << ": " << difference << '\n';
    }
};

}  // namespace

int main(int argc, char** argv) {
    const int total = argc > 1 ? std::atoi(argv[1]) : 5000;
    std::mt19937_64 random{argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1};
    const auto zones = zone_names();
    const auto begin = time::parse_utc("2024-01-01T00:00:00Z").value();
    constexpr std::int64_t kMinutes = 1461 * 1440;
    Tally minutes;
    Tally seconds;
    for (std::size_t i = 0; i < zones.size(); ++i) {
        const auto share = static_cast<int>((i + 1) * static_cast<std::size_t>(total) / zones.size() -
                                            i * static_cast<std::size_t>(total) / zones.size());
        const auto offsets = time::ZoneOffsets::find(zones[i]);
        const cron_scan::Stretch stretch{zones[i], begin, kMinutes, 60};
        for (int n = 0; n < share; ++n) minutes.add(zones[i], stretch, *offsets, random);
        const auto first = offsets->span_at(stretch.begin()) + 1;
        for (auto n = first; n < first + 2 && n < offsets->spans().size() && offsets->spans()[n].begin < stretch.end(); ++n) {
            const auto change = core::instant_from_us(offsets->spans()[n].begin * 1'000'000);
            const cron_scan::Stretch around{zones[i], change - std::chrono::hours{12}, 86'400, 1};
            for (int m = 0; m < (share + 1) / 2; ++m) seconds.add(zones[i], around, *offsets, random);
        }
    }
    for (const auto& [name, tally] : std::map<std::string, Tally>{{"minutes", minutes}, {"seconds", seconds}}) {
        std::cout << fmt::format("{}: {} expressions in {} zones, {} different, slowest next() {} ns\n", name, tally.expressions,
                                 zones.size(), tally.differences, tally.slowest_ns);
    }
    return minutes.differences + seconds.differences == 0 ? 0 : 1;
}
