#pragma once
#include <cstdint>

namespace varde::worker {

/// Denies every file, TCP port, abstract socket and signal to outside, as far as this kernel can. Needs no-new-privileges.
/// Returns wire::posture_landlock_* bits; 0 if the kernel has no Landlock. Best effort: the system call filter is the hard border.
[[nodiscard]] std::uint32_t deny_by_landlock();

}  // namespace varde::worker
