#pragma once
#include "core/event.hpp"
#include "evaluate/evaluation_batch.hpp"
#include "evaluate/payload_reader.hpp"

#include <functional>
#include <span>

namespace varde::evaluate {

/// Gives the memory for windows of that access.
using MemoryFor = std::function<core::Result<std::shared_ptr<WindowMemory>>(const PayloadAccess& access)>;

/// Judges given events, in insertion order, instead of stored ones. `rule` has a runner and an instance; the rest is filled in here.
[[nodiscard]] core::Verdict judge_given(BoundRule rule, const ports::Evaluation& evaluation, std::span<const core::Event> events,
                                        PayloadReader& reader, const MemoryFor& memory_for, ReplayStore* replays);

}  // namespace varde::evaluate
