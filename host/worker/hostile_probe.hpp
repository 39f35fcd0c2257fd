#pragma once
#include "wire/setup_message.hpp"

#include <cstdint>

namespace varde::worker {

/// Tries one thing that no rule may do, the way a rule would. Returns the error of the system call that was refused, 0 if nothing was.
/// A call that the filter does not even answer ends the process.
[[nodiscard]] std::uint32_t try_forbidden(wire::Attempt attempt, int host_pid, std::uint64_t memory_bytes);

}  // namespace varde::worker
