#pragma once
#include <chrono>
#include <cstdint>

namespace varde::core {

/// A point in time: UTC microseconds since 1970-01-01, no leap seconds. The only time type of the host and of both databases.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Microseconds = std::chrono::microseconds;

[[nodiscard]] constexpr Instant instant_from_us(std::int64_t us) { return Instant{Microseconds{us}}; }
[[nodiscard]] constexpr std::int64_t to_us(Instant at) { return at.time_since_epoch().count(); }

/// Half open: since <= t < until.
struct Window {
    Instant since;
    Instant until;
    friend bool operator==(const Window&, const Window&) = default;
};

}  // namespace varde::core
