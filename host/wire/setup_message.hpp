#pragma once
#include <cstdint>

namespace varde::wire {

inline constexpr std::uint32_t setup_magic = 0x53445256;  // "VRDS"

/// Plugins of one worker: those of a `group:`, or one.
inline constexpr std::size_t max_group = 32;

enum class SetupMode : std::uint32_t {
    run = 1,        ///< load the plugins and serve requests
    symbolise = 2,  ///< read the one plugin's symbol table, answer one request, end. Nothing of the plugin is executed
};

/// Sent once over the set-up socket, followed by `n_plugins` SetupPlugin in the same message, with the descriptors
/// {control, request pipe, response pipe, plugin ...}. Later messages of this socket carry one descriptor and a byte (RequestKind::attach).
struct SetupMessage {
    std::uint32_t magic;
    SetupMode mode;
    std::uint32_t n_plugins;
    std::uint32_t padding;
    std::uint64_t memory_bytes;  ///< for all plugins together
};

/// The texts are what the host read from the file's note, NUL-padded: the worker refuses an entry that says something else.
struct SetupPlugin {
    std::uint16_t abi_major;
    std::uint16_t abi_minor_needed;
    char rule_id[32];
    char version[32];
    char sdk[32];
};
inline constexpr std::size_t setup_pipes = 3;  ///< descriptors before the plugins
inline constexpr std::size_t max_setup_descriptors = setup_pipes + max_group;

}  // namespace varde::wire
