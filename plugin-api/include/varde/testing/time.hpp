/// Times as text and time zones, for tests. Zones come from the system's zoneinfo through glibc; not thread-safe.
#pragma once
#include <varde/rule.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace varde::test {

inline constexpr int64_t kSecond = 1'000'000;
inline constexpr int64_t kDay = 86'400 * kSecond;

/// Microseconds of "2026-01-15T12:00:00Z", "2026-01-15T12:00:00.25+01:00", "2026-01-15T12:00Z". A zone is required.
inline int64_t time_from(std::string_view text) {
    const std::string copy(text);
    const auto refuse = [&]() -> int64_t { throw std::invalid_argument("not a time like 2026-01-15T12:00:00Z: " + copy); };
    std::tm parts{};
    int used = 0;
    if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*[T ]%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                    &parts.tm_min, &used) != 5)
        return refuse();
    std::string_view rest = text.substr(static_cast<std::size_t>(used));
    if (rest.starts_with(':') && rest.size() >= 3) {
        parts.tm_sec = std::atoi(copy.c_str() + used + 1);
        rest.remove_prefix(3);
    }
    int64_t micros = 0;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        for (int64_t unit = 100'000; !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; unit /= 10) {
            micros += unit * (rest[0] - '0');
            rest.remove_prefix(1);
        }
    }
    int64_t east = 0;
    if (rest != "Z") {
        int hours = 0, minutes = 0;
        if (rest.size() < 3 || (rest[0] != '+' && rest[0] != '-')) return refuse();
        if (std::sscanf(std::string(rest.substr(1)).c_str(), "%2d:%2d", &hours, &minutes) < 1) return refuse();
        east = (rest[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return (static_cast<int64_t>(timegm(&parts)) - east) * kSecond + micros;
}

/// "2026-01-15T12:00:00" + `zone`, with six digits of fraction only if it is not zero.
inline std::string time_text(int64_t us, std::string_view zone) {
    int64_t fraction = us % kSecond;
    if (fraction < 0) fraction += kSecond;
    const auto whole = static_cast<std::time_t>((us - fraction) / kSecond);
    std::tm parts{};
    gmtime_r(&whole, &parts);
    char text[64];
    std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (fraction != 0)
        length +=
            static_cast<std::size_t>(std::snprintf(text + length, sizeof text - length, ".%06d", static_cast<int>(fraction)));
    return std::string(text, length) + std::string(zone);
}

/// True if the system has the zone, and the name is no path out of its folder.
inline bool zone_exists(std::string_view name) {
    if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos) return false;
    std::error_code ignored;
    return std::filesystem::is_regular_file("/usr/share/zoneinfo/" + std::string(name), ignored);
}

/// The zone's changes between two instants, the first entry before both. Empty for an unknown zone.
inline std::vector<varde_transition> zone_table(const std::string& name, int64_t from_us, int64_t to_us) {
    std::vector<varde_transition> table;
    if (!zone_exists(name)) return table;
    const char* before = std::getenv("TZ");
    const std::string saved = before ? before : "";
    setenv("TZ", name.c_str(), 1);
    tzset();
    const auto offset_at = [](std::time_t at) {
        std::tm local{};
        localtime_r(&at, &local);
        return static_cast<int32_t>(local.tm_gmtoff);
    };
    constexpr std::time_t kStep = 6 * 3600;  // two changes within a step would be missed; no zone has them
    std::time_t low = from_us / kSecond - 1;
    table.push_back({low * kSecond, offset_at(low), 0});
    while (low < to_us / kSecond) {
        const std::time_t high = low + kStep;
        if (offset_at(high) != table.back().offset_s) {
            std::time_t a = low, b = high;
            while (b - a > 1) (offset_at(a + (b - a) / 2) == table.back().offset_s ? a : b) = a + (b - a) / 2;
            table.push_back({b * kSecond, offset_at(b), 0});
        }
        low = high;
    }
    before ? setenv("TZ", saved.c_str(), 1) : unsetenv("TZ");
    tzset();
    return table;
}

/// UTC of a local wall time: in the spring gap with the offset before the change, of two instants the first.
inline int64_t from_local(const std::vector<varde_transition>& zone, int64_t local_us) {
    for (std::size_t i = 0; i < zone.size(); ++i) {
        const int64_t utc = local_us - zone[i].offset_s * kSecond;
        if (i + 1 == zone.size() || utc < zone[i + 1].at_us || local_us - zone[i + 1].offset_s * kSecond < zone[i + 1].at_us)
            return utc;
    }
    return local_us;
}

}  // namespace varde::test
