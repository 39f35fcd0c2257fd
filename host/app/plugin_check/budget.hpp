#pragma once
#include "app/plugin_check/check.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace varde::app::plugin_check {

/// Bytes that stay behind after an evaluation, on average: a leak, or a reason to look.
inline constexpr double kLeakBytes = 4096;
inline constexpr double kSuspectBytes = 512;
/// Of memory_mb: it will be full soon.
inline constexpr double kFullShare = 0.8;
/// Evaluations that become slower by less are not complained about.
inline constexpr std::chrono::milliseconds kNoticeable{1};
/// Of timeout_ms.
inline constexpr double kBusyShare = 0.5;

/// What a worker's memory over time says of its rule. `samples`: bytes held, each taken `evaluations_between` evaluations after the one
/// before; the second half decides. `limit`: memory_mb in bytes.
[[nodiscard]] Answer judge_memory(const std::vector<std::int64_t>& samples, int evaluations_between, std::int64_t limit);

/// Whether evaluations of equal windows become slower: `durations` in order.
[[nodiscard]] Answer judge_pace(const std::vector<std::chrono::nanoseconds>& durations);

/// What the slowest evaluation says, one of `events` events.
[[nodiscard]] Answer judge_time(std::chrono::nanoseconds slowest, std::size_t events, std::chrono::milliseconds timeout);

}  // namespace varde::app::plugin_check
