#pragma once
#include <cstdint>

namespace varde::worker {

/// Leaves the host's session, user (if root), core dumps and working directory; asks to be killed when the host dies.
/// Returns wire::posture_* bits. Ends the process if a step that must succeed fails.
[[nodiscard]] std::uint32_t leave_the_host(int host_pid, int cpu);

/// Resource limits for the rest of this process. `memory_bytes` is the rule's budget. Ends the process on failure.
void limit_resources(std::uint64_t memory_bytes);

[[noreturn]] void refuse_to_run(const char* step);

}  // namespace varde::worker
