#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace varde::wire {

/// Limits of one rule (varde/rule.h) and of the channel.
inline constexpr std::size_t max_keys = 64;
inline constexpr std::size_t max_literals = 1024;
inline constexpr std::size_t max_zones = 8;
inline constexpr std::size_t max_reads = 16;
inline constexpr std::size_t max_findings = 64;
inline constexpr std::size_t max_fields = 4096;
inline constexpr std::size_t max_nesting = 8;
inline constexpr std::size_t max_title_bytes = 200;
inline constexpr std::size_t max_explanation_bytes = 4000;
inline constexpr std::size_t max_field_key_bytes = 200;
inline constexpr std::size_t max_message_bytes = 4000;
inline constexpr std::size_t max_declared_text_bytes = 64 * 1024;  ///< of one key, literal or zone name
inline constexpr std::size_t max_answer_bytes = 1 << 20;           ///< one evaluation's findings, encoded
inline constexpr std::size_t max_result_bytes = 64 * 1024;         ///< that a job answers
inline constexpr std::size_t max_state_bytes = 64 * 1024;          ///< that a rule keeps per scope
inline constexpr std::size_t max_steps = 256;
inline constexpr std::size_t max_step_bytes = 1000;
inline constexpr std::uint32_t max_instances = 256;  ///< of one plugin in its worker; slots are plugin * max_instances and on
/// What the whole answer to one item can take, with its reason or fault and the heads of records.
inline constexpr std::size_t max_item_bytes =
    max_answer_bytes + max_state_bytes + max_steps * (max_step_bytes + 16) + 20 * max_message_bytes;

/// Descriptor numbers inside a worker. 0 is /dev/null, 1 and 2 are the log pipe.
inline constexpr int fd_setup = 3;     ///< socket: the set-up message, then window memories
inline constexpr int fd_request = 4;   ///< pipe: one byte per request; end of file ends the worker
inline constexpr int fd_response = 5;  ///< pipe: one byte per response

/// Asks a worker to store its stack and go on: the second step of a deadline.
inline constexpr int stack_signal = 40;  // a real-time signal that glibc has no use for
inline constexpr std::size_t max_frames = 32;
inline constexpr std::size_t max_modules = 48;

/// Return addresses, innermost first: the instruction, then what a walk along the frame pointers found.
struct StackRecord {
    std::uint32_t n_frames;
    std::uint32_t padding;
    std::uint64_t frames[max_frames];
};

/// What the crash handler of a worker leaves behind. Written once, by a signal handler: stores only.
struct CrashRecord {
    std::uint32_t signal;            ///< 0: nothing happened
    std::int32_t code;               ///< si_code
    std::uint64_t address;           ///< si_addr, if the signal has one
    std::uint32_t near_stack;        ///< 1: the address is beside the stack pointer
    std::uint32_t memory_exhausted;  ///< 1: not even a small part of the memory budget could be had any more
    std::int32_t syscall;            ///< SIGSYS: number of the call
    std::uint32_t padding;
    StackRecord stack;
};

/// Where a library lies in the worker, recorded once after loading. Frames outside of every module are "?".
struct ModuleRecord {
    std::uint64_t begin;
    std::uint64_t end;
    char name[32];  ///< file name, cut; of a plugin its rule id and ".so"
};

/// Head of the control memory that a host and one worker share. The host trusts nothing in it: every value it reads is a hint or is
/// checked. Sealed against resizing, so that a worker cannot make the host fault.
struct ControlHeader {
    // The host writes:
    alignas(64) std::atomic<std::uint32_t> request_number;
    std::atomic<std::uint32_t> stop;  ///< 1: a job is to answer soon, or it is ended
    std::uint64_t request_size;
    // The worker writes:
    alignas(64) std::atomic<std::uint32_t> response_number;  ///< echo of request_number
    std::atomic<std::uint32_t> started;                      ///< items begun in this request: the last one is in flight
    std::atomic<std::uint32_t> completed;                    ///< items whose answers lie in the response area
    std::atomic<std::uint32_t> phase;                        ///< phase_*
    std::atomic<std::uint32_t> plugin;                       ///< whose code runs in that phase: its place in the set-up message
    std::atomic<std::uint64_t> response_size;
    std::atomic<std::uint64_t> started_ns;  ///< CLOCK_MONOTONIC when the item in flight began
    std::atomic<std::uint64_t> log_bytes;   ///< written to the log through the host functions, also what did not fit
    alignas(64) CrashRecord crash;
    alignas(64) std::atomic<std::uint32_t> stack_ready;  ///< 1: `stack` answers stack_signal
    StackRecord stack;
    alignas(64) std::atomic<std::uint32_t> n_modules;
    ModuleRecord modules[max_modules];
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::uint32_t phase_idle = 0;
inline constexpr std::uint32_t phase_load = 1;
inline constexpr std::uint32_t phase_create = 2;
inline constexpr std::uint32_t phase_evaluate = 3;
inline constexpr std::uint32_t phase_destroy = 4;

inline constexpr std::size_t control_header_bytes = 4096;
inline constexpr std::size_t request_bytes = 1 << 20;
inline constexpr std::size_t response_bytes = 4 << 20;
inline constexpr std::size_t control_bytes = control_header_bytes + request_bytes + response_bytes;
static_assert(sizeof(ControlHeader) <= control_header_bytes);
static_assert(response_bytes >= 2 * max_item_bytes);

}  // namespace varde::wire
