#include "evaluate/worker_death.hpp"

#include <seccomp.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <simdjson.h>

namespace varde::evaluate {
namespace {

using core::FailureReason;

std::string syscall_name(int number) {
    const std::unique_ptr<char, decltype(&std::free)> name{::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number),
                                                           &std::free};
    return name ? fmt::format("{} ({})", name.get(), number) : fmt::format("number {}", number);
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

long long whole_ms(std::chrono::nanoseconds time) { return std::chrono::duration_cast<std::chrono::milliseconds>(time).count(); }

std::string address_class(const wire::CrashRecord& crash) {
    if (crash.signal != SIGSEGV && crash.signal != SIGBUS) return {};
    constexpr std::uint64_t first_page_that_can_be_mapped = 65536;
    if (crash.near_stack != 0) return "stack_guard";
    if (crash.address < first_page_that_can_be_mapped) return "null";
    return crash.code == SEGV_ACCERR ? "read_only" : "wild";
}

std::vector<core::StackFrame> frames_of(const wire::StackRecord& stack, const std::vector<wire::ModuleRecord>& modules) {
    std::vector<core::StackFrame> frames;
    for (std::size_t i = 0; i < std::min<std::size_t>(stack.n_frames, wire::max_frames); ++i) {
        // A return address is that of the instruction after the call.
        const std::uint64_t address = i == 0 ? stack.frames[i] : stack.frames[i] - 1;
        const auto holds = [&](const wire::ModuleRecord& module) { return address >= module.begin && address < module.end; };
        const auto module = std::find_if(modules.begin(), modules.end(), holds);
        if (module == modules.end())
            frames.push_back({"?", address, {}});
        else
            frames.push_back(
                {clean_message({module->name, ::strnlen(module->name, sizeof module->name)}), address - module->begin, {}});
    }
    return frames;
}

std::string stack_note(const Obituary& obituary, std::size_t frames) {
    if (frames > 2) return {};
    if (frames > 0) return "only the address: the code was built without frame pointers, or jumped somewhere wild";
    if (obituary.kill != Obituary::Kill::none) return "no stack: the rule blocked signals";
    return obituary.exit.by_signal ? "no stack: no signal handler ran" : "";
}

void fill_limit(core::Evidence& evidence, FailureReason reason, const Obituary& obituary) {
    const auto set = [&](const char* name, std::int64_t measured, std::int64_t value) {
        evidence.limit = name;
        evidence.limit_measured = measured;
        evidence.limit_value = value;
    };
    if (reason == FailureReason::deadline || reason == FailureReason::starved)
        set("timeout_ms", whole_ms(obituary.wall), obituary.limit.count());
    if (reason == FailureReason::out_of_memory) {
        // It asked for more than there was left: what it had is the whole of it.
        const auto budget = static_cast<std::int64_t>(obituary.memory_bytes >> 20);
        set("memory_mb", budget, budget);
    }
}

std::shared_ptr<const core::Evidence> evidence_of(const Obituary& obituary, const wire::CrashRecord& crash,
                                                  FailureReason reason) {
    auto evidence = std::make_shared<core::Evidence>();
    evidence->pid = obituary.pid;
    evidence->uptime = obituary.uptime;
    evidence->evaluation = obituary.evaluation;
    evidence->posture = level_of(obituary.posture);
    evidence->signal_code = crash.code;
    evidence->address_class = address_class(crash);
    evidence->address = crash.address;
    if (reason == FailureReason::violation && crash.signal != 0) evidence->syscall = syscall_name(crash.syscall);
    const wire::StackRecord& stack = obituary.stack ? *obituary.stack : crash.stack;
    evidence->frames = frames_of(stack, obituary.modules);
    evidence->stack_note = stack_note(obituary, evidence->frames.size());
    evidence->wall = obituary.wall;
    evidence->cpu = obituary.share.cpu;
    evidence->run_delay = obituary.share.run_delay;
    evidence->max_rss_bytes = obituary.peak_bytes;
    evidence->stderr_tail = obituary.log_tail;
    fill_limit(*evidence, reason, obituary);
    return evidence;
}

std::string sentence(FailureReason reason, const Obituary& obituary, const wire::CrashRecord& crash) {
    const int status = obituary.exit.status;
    switch (reason) {
        case FailureReason::starved:
            return fmt::format(
                "no answer within {} ms, but the machine gave the worker no CPU for {} ms of its life; not held against it",
                obituary.limit.count(), whole_ms(obituary.share.run_delay));
        case FailureReason::unkillable: return "SIGKILL had no effect within a second; the process is left behind";
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
        case FailureReason::exited: return fmt::format("the {} ended its process with exit code {}", obituary.subject, status);
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

std::string_view level_of(std::uint32_t posture) {
    if ((posture & wire::posture_landlock_files) == 0) return "C";
    const std::uint32_t all = wire::posture_namespaces | wire::posture_cgroup;
    return (posture & all) == all ? "A" : "B";
}

core::Failed failure_of(const Obituary& obituary) {
    core::Failed failed;
    failed.phase = obituary.phase;
    failed.duration = obituary.wall;
    const WorkerExit& exit = obituary.exit;
    wire::CrashRecord crash = obituary.crash;
    if (crash.signal != static_cast<std::uint32_t>(exit.status)) crash = {};  // not about this death
    if (obituary.kill != Obituary::Kill::none)
        failed.reason = exit.lost                                  ? FailureReason::unkillable
                        : obituary.kill == Obituary::Kill::starved ? FailureReason::starved
                                                                   : FailureReason::deadline;
    else if (exit.over_memory)
        failed.reason = FailureReason::out_of_memory;
    else if (exit.by_signal)
        failed.reason = reason_of_signal(exit.status, crash);
    else
        failed.reason = obituary.phase == core::Phase::spawn ? FailureReason::spawn_failed : FailureReason::exited;
    if (exit.by_signal)
        failed.signal = exit.status;
    else
        failed.exit_code = exit.status;
    failed.message = sentence(failed.reason, obituary, crash);
    if (!obituary.log_tail.empty()) failed.message += "; stderr: " + obituary.log_tail;
    failed.message = clean_message(failed.message);
    failed.evidence = evidence_of(obituary, crash, failed.reason);
    return failed;
}

core::Failed failure_of(const wire::Fault& fault, core::Phase phase, std::uint64_t memory_bytes, std::string_view subject) {
    static constexpr std::array reasons{FailureReason::load_failed,       FailureReason::abi_mismatch,
                                        FailureReason::manifest_mismatch, FailureReason::create_failed,
                                        FailureReason::rule_error,        FailureReason::exception_escaped,
                                        FailureReason::bad_result,        FailureReason::out_of_memory,
                                        FailureReason::selftest_failed,   FailureReason::protocol};
    core::Failed failed;
    failed.reason = reasons.at(static_cast<std::size_t>(fault.reason) - 1);
    failed.phase = phase;
    if (failed.reason == FailureReason::out_of_memory)
        failed.message = fmt::format("the {} could not get memory: memory_mb is {} MiB", subject, memory_bytes >> 20);
    else
        failed.message = clean_message(fault.param.empty() ? fault.message : fault.param + ": " + fault.message);
    if (failed.reason == FailureReason::create_failed) failed.param = clean_message(fault.param);
    return failed;
}

}  // namespace varde::evaluate
