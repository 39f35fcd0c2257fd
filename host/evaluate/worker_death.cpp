#include "evaluate/worker_death.hpp"

#include <sys/syscall.h>
#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

namespace varde::evaluate {
namespace {

using core::FailureReason;

std::string syscall_name(int number) {
    static constexpr std::pair<int, const char*> names[] = {
        {SYS_socket, "socket"},
        {SYS_connect, "connect"},
        {SYS_bind, "bind"},
        {SYS_sendto, "sendto"},
        {SYS_socketpair, "socketpair"},
        {SYS_clone, "clone"},
        {SYS_execve, "execve"},
        {SYS_execveat, "execveat"},
        {SYS_kill, "kill"},
        {SYS_tkill, "tkill"},
        {SYS_tgkill, "tgkill"},
        {SYS_ptrace, "ptrace"},
        {SYS_process_vm_readv, "process_vm_readv"},
        {SYS_process_vm_writev, "process_vm_writev"},
        {SYS_mmap, "mmap"},
        {SYS_prctl, "prctl"},
        {SYS_rt_sigaction, "rt_sigaction"},
        {SYS_memfd_create, "memfd_create"},
        {SYS_bpf, "bpf"},
        {SYS_mount, "mount"},
        {SYS_unshare, "unshare"},
        {SYS_setns, "setns"},
        {SYS_seccomp, "seccomp"},
        {SYS_personality, "personality"},
        {SYS_shmget, "shmget"},
        {SYS_ftruncate, "ftruncate"},
        {SYS_unlinkat, "unlinkat"},
        {SYS_dup, "dup"},
        {SYS_dup3, "dup3"},
        {SYS_fcntl, "fcntl"},
        {SYS_setrlimit, "setrlimit"},
        {SYS_prlimit64, "prlimit64"},
        {SYS_pipe2, "pipe2"},
        {SYS_getppid, "getppid"},
        {SYS_sched_setaffinity, "sched_setaffinity"},
        {SYS_io_uring_setup, "io_uring_setup"},
        {SYS_userfaultfd, "userfaultfd"},
        {SYS_perf_event_open, "perf_event_open"},
        {SYS_write, "write"},
        {SYS_read, "read"},
        {SYS_eventfd2, "eventfd2"},
        {SYS_chdir, "chdir"},
        {SYS_wait4, "wait4"},
#ifdef SYS_fork
        {SYS_fork, "fork"},
        {SYS_vfork, "vfork"},
        {SYS_dup2, "dup2"},
        {SYS_pipe, "pipe"},
        {SYS_unlink, "unlink"},
        {SYS_mkdir, "mkdir"},
        {SYS_rename, "rename"},
#endif
    };
    for (const auto& [value, name] : names)
        if (value == number) return fmt::format("{} ({})", name, number);
    return fmt::format("number {}", number);
}

FailureReason reason_of_signal(int signal, const wire::CrashRecord& crash) {
    switch (signal) {
        case SIGSEGV:
        case SIGBUS:
            if (crash.near_stack != 0) return FailureReason::stack_overflow;
            return crash.memory_exhausted != 0 ? FailureReason::out_of_memory : FailureReason::segmentation_fault;
        case SIGABRT: return FailureReason::aborted;
        case SIGSYS: return FailureReason::violation;
        default: return FailureReason::crashed;
    }
}

std::string signal_text(int signal) {
    const char* name = ::sigabbrev_np(signal);
    return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

std::string sentence(FailureReason reason, const Obituary& obituary, const wire::CrashRecord& crash) {
    const int status = obituary.exit.status;
    switch (reason) {
        case FailureReason::deadline: return fmt::format("no answer within {} ms; the worker was killed", obituary.limit.count());
        case FailureReason::stack_overflow: return fmt::format("{}: the 8 MiB stack is used up", signal_text(status));
        case FailureReason::out_of_memory:
            return fmt::format("{} after memory_mb ({} MiB) was used up", signal_text(status), obituary.memory_bytes >> 20);
        case FailureReason::segmentation_fault:
            return crash.signal == 0
                       ? fmt::format("{}: forbidden memory access", signal_text(status))
                       : fmt::format("{}: forbidden memory access at address {:#x}", signal_text(status), crash.address);
        case FailureReason::violation:
            if (crash.signal == 0) {
                return "forbidden system call, made with signals blocked: not known which; starting a thread does that";
            }
            return fmt::format("forbidden system call: {}", syscall_name(crash.syscall));
        case FailureReason::aborted: return "SIGABRT: abort(), a failed assert or std::terminate";
        case FailureReason::exited: return fmt::format("the rule ended its process with exit code {}", status);
        default: return fmt::format("killed by {}", signal_text(status));
    }
}

}  // namespace

std::string clean_message(std::string_view text) {
    std::string clean{text.substr(0, wire::max_message_bytes)};
    // A cut may have split a character.
    for (int i = 0; i < 3 && !clean.empty() && !simdjson::validate_utf8(clean) && (clean.back() & 0x80) != 0; ++i)
        clean.pop_back();
    const bool valid = simdjson::validate_utf8(clean);
    for (char& c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            c = ' ';
        else if (!valid && byte >= 0x80)
            c = '?';
    }
    return clean;
}

core::Failed failure_of(const Obituary& obituary) {
    core::Failed failed;
    failed.phase = obituary.phase;
    const WorkerExit& exit = obituary.exit;
    wire::CrashRecord crash = obituary.crash;
    if (crash.signal != static_cast<std::uint32_t>(exit.status)) crash = {};  // not about this death
    if (obituary.killed_at_deadline)
        failed.reason = FailureReason::deadline;
    else if (exit.by_signal)
        failed.reason = reason_of_signal(exit.status, crash);
    else
        failed.reason = obituary.phase == core::Phase::spawn ? FailureReason::spawn_failed : FailureReason::exited;
    if (exit.by_signal)
        failed.signal = exit.status;
    else
        failed.exit_code = exit.status;
    failed.message = sentence(failed.reason, obituary, crash);
    if (exit.lost) failed.message += "; it could not be reaped";
    if (!obituary.log_tail.empty()) failed.message += "; stderr: " + obituary.log_tail;
    failed.message = clean_message(failed.message);
    return failed;
}

core::Failed failure_of(const wire::Fault& fault, core::Phase phase, std::uint64_t memory_bytes) {
    static constexpr std::array reasons{
        FailureReason::load_failed,   FailureReason::abi_mismatch,  FailureReason::manifest_mismatch,
        FailureReason::create_failed, FailureReason::rule_error,    FailureReason::exception_escaped,
        FailureReason::bad_result,    FailureReason::out_of_memory, FailureReason::protocol};
    core::Failed failed;
    failed.reason = reasons.at(static_cast<std::size_t>(fault.reason) - 1);
    failed.phase = phase;
    if (failed.reason == FailureReason::out_of_memory)
        failed.message = fmt::format("the rule could not get memory: memory_mb is {} MiB", memory_bytes >> 20);
    else
        failed.message = clean_message(fault.param.empty() ? fault.message : fault.param + ": " + fault.message);
    return failed;
}

}  // namespace varde::evaluate
