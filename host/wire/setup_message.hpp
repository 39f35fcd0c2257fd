#pragma once
#include <cstdint>

namespace varde::wire {

inline constexpr std::uint32_t setup_magic = 0x53445256;  // "VRDS"

/// Sent once over the set-up socket, with the descriptors {plugin, batch, control, request pipe, response pipe}.
/// The texts are what the host read from the file's note, NUL-padded: the worker refuses an entry that says something else.
struct SetupMessage {
    std::uint32_t magic;
    std::uint16_t abi_major;
    std::uint16_t abi_minor_needed;
    std::uint64_t memory_bytes;
    std::uint64_t batch_bytes;
    char rule_id[32];
    char version[32];
    char sdk[32];
};
inline constexpr int setup_descriptors = 5;

}  // namespace varde::wire
