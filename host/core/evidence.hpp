#pragma once
#include "core/instant.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace varde::core {

/// One return address of a worker's stack, innermost first.
struct StackFrame {
    std::string module;        ///< file name of the library, "?" if the address lies in none
    std::uint64_t offset = 0;  ///< into the module; what addr2line wants
    std::string function;      ///< filled in later by a symbolising worker, empty until then
    friend bool operator==(const StackFrame&, const StackFrame&) = default;
};

/// What is known of a failure beyond its reason: enough to find the defect without being there. Everything a worker itself said is a
/// hint, and has been cut and cleaned. Never holds an event's payload.
struct Evidence {
    // Which plugin.
    std::string path;
    std::string version;
    std::string sdk;
    std::string sha256;
    std::string build_id;  ///< of the ELF file, lower-case hex; empty if it has none
    // Which process.
    int pid = 0;
    std::uint64_t incarnation = 0;  ///< 1: the first worker of this rule since the host started
    std::chrono::nanoseconds uptime{};
    std::uint64_t evaluation = 0;  ///< evaluations that this worker had begun, this one included; 0: none
    std::string posture;           ///< level of the sandbox it ran in: "A", "B" or "C"
    // How it ended.
    int signal_code = 0;        ///< si_code, 0 if no signal handler ran
    std::string address_class;  ///< SIGSEGV, SIGBUS: "null", "stack_guard", "read_only", "wild"; else empty
    std::uint64_t address = 0;
    std::string syscall;  ///< violation: name of the call
    std::vector<StackFrame> frames;
    std::string stack_note;  ///< why there are no frames, or only the first two
    // What it used.
    std::chrono::nanoseconds wall{};
    std::chrono::nanoseconds cpu{};
    std::chrono::nanoseconds run_delay{};  ///< time it was ready to run and the machine had no CPU for it
    std::uint64_t max_rss_bytes = 0;
    std::string limit;  ///< the setting that was hit ("timeout_ms", "memory_mb"); empty if none
    std::int64_t limit_measured = 0;
    std::int64_t limit_value = 0;
    // What it was asked.
    Window window{};
    std::int64_t first_seq = 0;  ///< of the events it saw; 0, 0: none
    std::int64_t last_seq = 0;
    std::uint32_t events = 0;
    std::string stderr_tail;  ///< the last 4 KiB it wrote, printable
    // What was done about it.
    std::uint32_t consecutive_failures = 0;
    std::string breaker;  ///< state of the rule's circuit breaker afterwards (core/incident.hpp)
    std::string action;   ///< in words: "worker replaced", "quarantined"
    Instant out_until{};  ///< the rule is not asked before; Instant{}: it is asked again at the next run
    std::string clear_hint;
    std::string bundle;  ///< path of the replay bundle; empty if none was written
};

}  // namespace varde::core
