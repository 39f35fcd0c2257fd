#pragma once
#include "wire/control_layout.hpp"

#include <cstdint>

namespace varde::worker {

/// Installs handlers for the fatal signals that store what happened into `record` and let the process die by the same signal.
/// Must be called before the system call filter is loaded. `memory_bytes`: the memory budget, to tell exhaustion from a wild pointer.
void install_crash_handlers(wire::CrashRecord* record, std::uint64_t memory_bytes);

}  // namespace varde::worker
