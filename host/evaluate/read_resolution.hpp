#pragma once
#include "core/instant.hpp"
#include "time/zone.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <optional>

namespace varde::evaluate {

/// Anchor + offset.
[[nodiscard]] core::Instant edge_of(std::uint32_t anchor, std::int64_t offset_us, core::Window window);

/// The range of a VARDE_READ_RANGE or VARDE_READ_LOCAL_DAY for one window; never ends before it begins. `zone`: nullptr is UTC.
[[nodiscard]] core::Window resolve_range(const wire::ReadDeclaration& read, core::Window window, const time::Zone* zone);

/// How far before `until` the read can begin, for windows of at most `lookback`.
[[nodiscard]] std::chrono::microseconds reach_of(const wire::ReadDeclaration& read, std::chrono::microseconds lookback);

}  // namespace varde::evaluate
