#pragma once
#include "wire/control_layout.hpp"

#include <cstdint>

namespace varde::worker {

/// Installs handlers for the fatal signals that store what happened into `header.crash` and let the process die by the same signal, and
/// one for wire::stack_signal that stores the stack and goes on. Must be called before the system call filter is loaded.
/// `memory_bytes`: the memory budget, to tell exhaustion from a wild pointer.
void install_crash_handlers(wire::ControlHeader& header, std::uint64_t memory_bytes);

}  // namespace varde::worker
