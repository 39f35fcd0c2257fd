#pragma once
#include "core/instant.hpp"
#include "time/zone.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace varde::time {

/// The calendar of schedules: from 1900-01-01 to the end of 2199, UTC. Nothing is due outside of it.
constexpr int kFirstYear = 1900;
constexpr int kLastYear = 2199;
constexpr std::int64_t kCalendarStart = -2'208'988'800;  ///< 1900-01-01T00:00:00Z in seconds since 1970
constexpr std::int64_t kCalendarEnd = 7'258'118'400;     ///< 2200-01-01T00:00:00Z

/// A stretch of time in which a zone keeps one offset, in whole seconds since 1970.
struct OffsetSpan {
    std::int64_t begin;  ///< UTC
    std::int64_t end;    ///< UTC, exclusive; the last span ends with the calendar
    std::int32_t offset;
    std::int32_t before;  ///< the offset up to `begin`; that of the first span is its own

    /// Seconds of wall time that do not exist at `begin`; 0 if none.
    [[nodiscard]] std::int64_t gap() const { return offset > before ? offset - before : 0; }
    /// Seconds of wall time that come a second time from `begin` on; 0 if none.
    [[nodiscard]] std::int64_t overlap() const { return offset < before ? before - offset : 0; }
};

/// A zone's offsets over the whole calendar as a table: finding the offset of an instant is a few instructions. About 12 KiB a zone.
/// Immutable, thread-safe. As Zone, it shows the zone database as it was when the zone was first read.
class ZoneOffsets {
  public:
    explicit ZoneOffsets(const Zone& zone);
    /// From a cache that keeps every zone asked for until the process ends. nullptr if there is no such zone. Thread-safe.
    [[nodiscard]] static std::shared_ptr<const ZoneOffsets> find(std::string_view iana_name);

    /// Never empty; in order and without holes.
    [[nodiscard]] const std::vector<OffsetSpan>& spans() const { return spans_; }
    /// The place in spans() of the span that holds this UTC second; the first or last one outside of the calendar.
    [[nodiscard]] std::size_t span_at(std::int64_t second) const {
        if (second < kCalendarStart) return 0;
        if (second >= kCalendarEnd) return spans_.size() - 1;
        std::size_t found = first_of_[static_cast<std::size_t>(second - kCalendarStart) >> kBucketBits];
        while (spans_[found].end <= second) ++found;
        return found;
    }

  private:
    /// A bucket of 2^23 s is 97 days: zones change their offset less than once in it, nearly always.
    static constexpr int kBucketBits = 23;
    std::vector<OffsetSpan> spans_;
    std::vector<std::uint16_t> first_of_;  ///< bucket -> span at its start
};

}  // namespace varde::time
