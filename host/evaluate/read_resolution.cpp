#include "evaluate/read_resolution.hpp"

#include <algorithm>

namespace varde::evaluate {
namespace {

using core::Instant;
using std::chrono::microseconds;

constexpr std::int64_t day_us = std::int64_t{86'400} * 1'000'000;

std::int64_t floor_to_day(std::int64_t us) {
    const std::int64_t rest = us % day_us;
    return us - (rest < 0 ? rest + day_us : rest);
}

// The span that starts on the local date that begins at `local_date_us`.
core::Window span_of(const wire::ReadDeclaration& read, std::int64_t local_date_us, const time::Zone& zone) {
    const std::int64_t end_date = read.local_end_us > read.local_begin_us ? local_date_us : local_date_us + day_us;
    return {zone.from_local_us(local_date_us + read.local_begin_us), zone.from_local_us(end_date + read.local_end_us)};
}

core::Window resolve_local_day(const wire::ReadDeclaration& read, Instant until, const time::Zone& zone) {
    std::int64_t date = floor_to_day(zone.to_local_us(until));
    core::Window span = span_of(read, date, zone);
    if (read.local_pick == VARDE_DAY_OF_UNTIL) return span;
    // Spans of consecutive dates begin in order: the last one that has begun contains `until` or is the last that ended before it.
    while (span.since > until) span = span_of(read, date -= day_us, zone);
    return span;
}

}  // namespace

core::Instant edge_of(std::uint32_t anchor, std::int64_t offset_us, core::Window window) {
    return (anchor == VARDE_AT_UNTIL ? window.until : window.since) + microseconds{offset_us};
}

core::Window resolve_range(const wire::ReadDeclaration& read, core::Window window, const time::Zone* zone) {
    core::Window range;
    if (read.kind == VARDE_READ_LOCAL_DAY) {
        range = resolve_local_day(read, window.until, zone == nullptr ? time::Zone::utc() : *zone);
    } else {
        range = {edge_of(read.begin_anchor, read.begin_offset_us, window), edge_of(read.end_anchor, read.end_offset_us, window)};
    }
    range.until = std::max(range.since, range.until);
    return range;
}

microseconds reach_of(const wire::ReadDeclaration& read, microseconds lookback) {
    switch (read.kind) {
        case VARDE_READ_LOCAL_DAY: return microseconds{3 * day_us};
        case VARDE_READ_RANGE: {
            const microseconds anchor = read.begin_anchor == VARDE_AT_UNTIL ? microseconds{0} : lookback;
            return std::max(microseconds{0}, anchor - microseconds{read.begin_offset_us});
        }
        default: return microseconds{0};
    }
}

}  // namespace varde::evaluate
