#include "worker/sandbox_seccomp.hpp"

#include "worker/sandbox_limits.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

// Written by filter_compiler.cpp when this program is built.
extern "C" {
extern const sock_filter varde_filter_load[];
extern const sock_filter varde_filter_run[];
extern const unsigned varde_filter_load_length;
extern const unsigned varde_filter_run_length;
}

namespace varde::worker {

SyscallFilter::SyscallFilter(Stage stage)
    : instructions_{stage == Stage::load ? std::vector(varde_filter_load, varde_filter_load + varde_filter_load_length)
                                         : std::vector(varde_filter_run, varde_filter_run + varde_filter_run_length)} {
    bool found = false;
    for (sock_filter& instruction : instructions_) {
        if (instruction.code != (BPF_JMP | BPF_JEQ | BPF_K) || instruction.k != pid_in_filter) continue;
        instruction.k = static_cast<std::uint32_t>(::getpid());
        found = true;
    }
    errno = EINVAL;
    if (!found) refuse_to_run("system call filter without a place for the process id");
}

void SyscallFilter::load() {
    const sock_fprog program{static_cast<unsigned short>(instructions_.size()), instructions_.data()};
    // Not prctl: the filter of Stage::load no longer allows it when that of Stage::run is loaded.
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) refuse_to_run("seccomp");
}

}  // namespace varde::worker
