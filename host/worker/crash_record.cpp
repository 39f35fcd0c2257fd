#include "worker/crash_record.hpp"

#include "worker/stack_walk.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <csignal>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

namespace varde::worker {
namespace {

wire::ControlHeader* control = nullptr;
wire::CrashRecord* crash = nullptr;
std::size_t probe_bytes = 0;
alignas(64) char alternate_stack[64 * 1024];

std::uint64_t stack_pointer_of(const void* context) {
#if defined(__x86_64__)
    return static_cast<std::uint64_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
    return static_cast<const ucontext_t*>(context)->uc_mcontext.sp;
#else
    return 0;
#endif
}

// Stores only, no allocation, no locks: the rule may have died anywhere. SA_RESETHAND has put the default action back, so the signal
// sent again at the end kills as soon as the handler returns.
void on_fatal_signal(int signal, siginfo_t* info, void* context) {
    if (crash != nullptr && crash->signal == 0) {
        crash->code = info->si_code;
        if (signal == SIGSYS) {
            crash->syscall = info->si_code == SYS_SECCOMP ? info->si_syscall : -1;
        } else if (signal == SIGSEGV || signal == SIGBUS) {
            crash->address = reinterpret_cast<std::uint64_t>(info->si_addr);
            const std::uint64_t stack = stack_pointer_of(context);
            constexpr std::uint64_t near = 64 * 1024;
            crash->near_stack = crash->address + near > stack && crash->address < stack + near ? 1 : 0;
            const long probe =
                ::syscall(SYS_mmap, nullptr, probe_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            crash->memory_exhausted = probe == -1 ? 1 : 0;
        }
        crash->signal = static_cast<std::uint32_t>(signal);
        record_stack(crash->stack, context);
    }
    ::syscall(SYS_tgkill, ::syscall(SYS_getpid), ::syscall(SYS_gettid), signal);
}

void on_stack_wanted(int, siginfo_t*, void* context) {
    record_stack(control->stack, context);
    control->stack_ready.store(1, std::memory_order_release);
}

}  // namespace

void install_crash_handlers(wire::ControlHeader& header, std::uint64_t memory_bytes) {
    control = &header;
    crash = &header.crash;
    probe_bytes = memory_bytes / 16;
    stack_t stack{};
    stack.ss_sp = alternate_stack;
    stack.ss_size = sizeof alternate_stack;
    ::sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_fatal_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    ::sigfillset(&action.sa_mask);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) ::sigaction(signal, &action, nullptr);
    action.sa_sigaction = on_stack_wanted;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    ::sigaction(wire::stack_signal, &action, nullptr);
}

}  // namespace varde::worker
