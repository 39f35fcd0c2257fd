#include "worker/sandbox_limits.hpp"

#include "wire/message.hpp"
#include "worker/sandbox_namespaces.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace varde::worker {
namespace {

constexpr uid_t nobody = 65534;
// What the worker itself needs beside the rule: its data segments, the C++ run time, messages.
constexpr std::uint64_t own_memory_bytes = 4u << 20;

void limit(__rlimit_resource resource, rlim_t value, const char* name) {
    const rlimit both{value, value};
    if (::setrlimit(resource, &both) != 0) refuse_to_run(name);
}

bool take_own_user() {
    if (::geteuid() != 0) return false;
    return ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 && ::setresuid(nobody, nobody, nobody) == 0;
}

// Root without a user of its own, and everybody in a user namespace, would keep them.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    if (::syscall(SYS_capset, &header, none) != 0) refuse_to_run("capset");
}

// Best effort: where it is not allowed the kernel chooses by size.
void offer_to_the_oom_killer() {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    [[maybe_unused]] const ssize_t written = ::write(fd, "1000", 4);
    ::close(fd);
}

}  // namespace

void refuse_to_run(const char* step) {
    std::fprintf(stderr, "varde-worker: %s: %s\n", step, std::strerror(errno));
    ::_exit(70);
}

std::uint32_t leave_the_host(int host_pid, std::span<const int> namespaces, bool own_user) {
    std::uint32_t posture = 0;
    if (::setsid() < 0 && errno != EPERM) refuse_to_run("setsid");
    offer_to_the_oom_killer();
    if (enter_namespaces(namespaces)) posture |= wire::posture_namespaces;
    if (::chdir("/") != 0) refuse_to_run("chdir");
    ::umask(077);
    if (own_user && take_own_user()) posture |= wire::posture_own_user;
    drop_capabilities();
    // After the change of user: the kernel clears the death signal when credentials change.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) refuse_to_run("PR_SET_PDEATHSIG");
    if (::getppid() != host_pid) ::_exit(0);  // the host died before the line above
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) refuse_to_run("PR_SET_DUMPABLE");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) refuse_to_run("PR_SET_NO_NEW_PRIVS");
    return posture;
}

std::uint32_t pin_to(int cpu) {
    if (cpu < 0) return 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0 ? wire::posture_pinned : 0;
}

void limit_resources(std::uint64_t memory_bytes, unsigned descriptors) {
    limit(RLIMIT_CORE, 0, "RLIMIT_CORE");
    limit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE");
    limit(RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK");
    limit(RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE");
    limit(RLIMIT_STACK, 8u << 20, "RLIMIT_STACK");
    limit(RLIMIT_DATA, memory_bytes + own_memory_bytes, "RLIMIT_DATA");
    limit(RLIMIT_NOFILE, descriptors + 6, "RLIMIT_NOFILE");  // the loader opens a file at a time
    if (::geteuid() != 0) limit(RLIMIT_NPROC, 0, "RLIMIT_NPROC");
}

}  // namespace varde::worker
