#pragma once
#include <cstdint>

namespace varde::wire {

inline constexpr std::uint32_t setup_magic = 0x53445256;  // "VRDS"

/// Plugins of one worker: those of a `group:`, or one.
inline constexpr std::size_t max_group = 32;

enum class SetupMode : std::uint32_t {
    run = 1,        ///< load the plugins and serve requests
    symbolise = 2,  ///< read the one plugin's symbol table, answer one request, end. Nothing of the plugin is executed
    probe =
        3,  ///< without a plugin: try one forbidden thing as a rule could, answer u32 errno (0: it worked) and u32 posture, end
    probe_without_filter = 4,  ///< the same without system call filter: what the layers behind it stop
    job = 5,                   ///< load the one job library, serve one request
};

/// What the built-in hostile rule tries. Harmless where it works.
enum class Attempt : std::uint32_t {
    read_file,         ///< /etc/passwd
    write_file,        ///< a new file in /tmp
    read_environment,  ///< of the host, through /proc
    open_socket,       ///< and connect to a TCP port
    run_program,       ///< /bin/true
    start_process,     ///< fork
    signal_host,       ///< kill(host, 0)
    trace_host,        ///< ptrace
    run_new_code,      ///< memory that can be written and executed
    share_memory,      ///< shared anonymous memory, which no limit counts
    raise_limit,       ///< of memory
    exhaust_memory,    ///< four times the budget
    enter_namespace,   ///< a new user namespace
    use_bpf,           ///< a kernel interface with a history
};
inline constexpr std::uint32_t n_attempts = 14;

/// Sent once over the set-up socket, followed by `n_plugins` SetupPlugin in the same message, with the descriptors
/// {control, request pipe, response pipe, plugin ...}. Later messages of this socket carry one descriptor and a byte (RequestKind::attach).
struct SetupMessage {
    std::uint32_t magic;
    SetupMode mode;
    std::uint32_t n_plugins;
    Attempt attempt;             ///< SetupMode::probe*
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
