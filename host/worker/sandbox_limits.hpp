#pragma once
#include <cstdint>
#include <span>

namespace varde::worker {

/// Leaves the host's session, core dumps and working directory, enters the namespaces behind `namespaces` (none: stays), changes to a
/// user of its own if root and `own_user`, gives up every capability and asks to be killed when the host dies.
/// Returns wire::posture_* bits. Ends the process if a step that must succeed fails.
[[nodiscard]] std::uint32_t leave_the_host(int host_pid, std::span<const int> namespaces, bool own_user);

/// Runs on `cpu` only from now on; -1: stays where it is. Returns wire::posture_pinned or 0.
[[nodiscard]] std::uint32_t pin_to(int cpu);

/// Resource limits for the rest of this process. `memory_bytes` is the budget of its rules, `descriptors` what it holds already.
/// Ends the process on failure.
void limit_resources(std::uint64_t memory_bytes, unsigned descriptors);

[[noreturn]] void refuse_to_run(const char* step);

}  // namespace varde::worker
