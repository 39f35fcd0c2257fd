#pragma once
#include "core/instant.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::time {

struct ZoneTransition {
    core::Instant at;
    std::int32_t offset_seconds;  ///< east of UTC, from `at` on
};

/// An IANA time zone. Cheap to copy; immutable; thread-safe.
class Zone {
  public:
    /// nullopt if the zone database has no such name.
    [[nodiscard]] static std::optional<Zone> find(std::string_view iana_name);
    [[nodiscard]] static Zone utc();

    [[nodiscard]] std::int32_t offset_seconds(core::Instant at) const;
    /// Microseconds since 1970-01-01T00:00:00 local.
    [[nodiscard]] std::int64_t to_local_us(core::Instant at) const;
    /// The instant of a local wall time. In a gap and in an overlap the offset before the change counts (Python fold=0).
    [[nodiscard]] core::Instant from_local_us(std::int64_t local_us) const;
    /// The offset in force at `from`, with at = from, then every change in (from, to).
    [[nodiscard]] std::vector<ZoneTransition> transitions(core::Instant from, core::Instant to) const;

  private:
    struct Data;
    explicit Zone(std::shared_ptr<const Data> data) : data_{std::move(data)} {}
    std::shared_ptr<const Data> data_;
};

}  // namespace varde::time
