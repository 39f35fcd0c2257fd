#pragma once
#include "app/plugin_check/check.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace varde::app::plugin_check {

/// Bytes that stay behind after an evaluation, on average: a leak, or a reason to look.
inline constexpr double kLeakBytes = 4096;
inline constexpr double kSuspectBytes = 512;
/// Of timeout_ms.
inline constexpr double kBusyShare = 0.5;

/// What a worker's memory over time says of its rule. `samples`: bytes held, each taken `evaluations_between` evaluations after the one
/// before; the second half decides.
[[nodiscard]] Answer judge_memory(const std::vector<std::int64_t>& samples, int evaluations_between);

/// What the slowest evaluation says, one of `events` events.
[[nodiscard]] Answer judge_time(std::chrono::nanoseconds slowest, std::size_t events, std::chrono::milliseconds timeout);

}  // namespace varde::app::plugin_check
