#include "time/interval.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace varde::time {
namespace {

using core::Errc;
using core::fail;

constexpr core::Microseconds kShortest = std::chrono::milliseconds{1};
constexpr core::Microseconds kLongest = std::chrono::days{400};

struct Unit {
    std::string_view name;
    std::int64_t us;
};
// ms before m, because the first that fits is taken.
constexpr std::array kUnits{Unit{"ms", 1'000},        Unit{"us", 1},         Unit{"d", 86'400'000'000},
                            Unit{"h", 3'600'000'000}, Unit{"m", 60'000'000}, Unit{"s", 1'000'000}};

/// One number with its unit, taken from the front. Nothing that would not fit in 10,000 days.
std::optional<std::int64_t> take_part(std::string_view& rest) {
    constexpr std::int64_t kMost = 864'000'000'000'000;
    std::int64_t digits = 0;
    std::int64_t scale = 1;
    std::size_t size = 0;
    bool point = false;
    for (; size < rest.size() && (std::isdigit(static_cast<unsigned char>(rest[size])) != 0 || rest[size] == '.'); ++size) {
        if (rest[size] == '.') {
            if (point || size == 0) return std::nullopt;
            point = true;
            continue;
        }
        digits = digits * 10 + (rest[size] - '0');
        if (point) scale *= 10;
        if (digits > kMost || scale > 1'000'000) return std::nullopt;
    }
    if (size == 0 || (point && scale == 1)) return std::nullopt;
    rest.remove_prefix(size);
    const auto* unit = std::ranges::find_if(kUnits, [&](const Unit& one) { return rest.starts_with(one.name); });
    if (unit == kUnits.end() || digits > kMost / unit->us) return std::nullopt;
    rest.remove_prefix(unit->name.size());
    if (digits * unit->us % scale != 0) return std::nullopt;
    return digits * unit->us / scale;
}

std::optional<core::Microseconds> duration_of(std::string_view text) {
    std::int64_t sum = 0;
    if (text.empty() || text.size() > 64) return std::nullopt;
    while (!text.empty()) {
        const auto part = take_part(text);
        if (!part) return std::nullopt;
        sum += *part;
    }
    return core::Microseconds{sum};
}

}  // namespace

core::Result<Interval> Interval::make(core::Microseconds period, core::Instant anchor) {
    if (period < kShortest || period > kLongest) {
        return fail(Errc::invalid_argument, "interval: the period must be between 1ms and 400d");
    }
    return Interval{period, anchor};
}

core::Result<Interval> Interval::parse(std::string_view text) {
    constexpr std::string_view kWord = "@every ";
    if (!text.starts_with(kWord)) return fail(Errc::invalid_argument, "interval: expected @every PERIOD[/PHASE]");
    text.remove_prefix(kWord.size());
    const auto slash = text.find('/');
    const auto period = duration_of(text.substr(0, slash));
    const auto phase = slash == std::string_view::npos ? core::Microseconds{} : duration_of(text.substr(slash + 1));
    if (!period || !phase) {
        return fail(Errc::invalid_argument,
                    fmt::format("interval: \"{}\" is no PERIOD[/PHASE] such as 90m, 1h30m or 2m/63.5s; units are "
                                "d, h, m, s, ms and us",
                                text));
    }
    return make(*period, core::Instant{*phase});
}

core::Instant Interval::next(core::Instant after) const {
    const auto since = (after - anchor_).count();
    const auto period = period_.count();
    const auto slots = since / period - (since % period < 0 ? 1 : 0) + 1;
    return anchor_ + slots * period_;
}

}  // namespace varde::time
