#include "worker/hostile_probe.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace varde::worker {
namespace {

std::uint32_t result_of(long returned) { return returned < 0 ? static_cast<std::uint32_t>(errno) : 0; }

std::uint32_t open_file(const char* path, int flags) {
    const int fd = ::open(path, flags | O_CLOEXEC, 0600);
    const std::uint32_t result = result_of(fd);
    if (fd >= 0) ::close(fd);
    return result;
}

std::uint32_t connect_somewhere() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return result_of(fd);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::uint32_t result = result_of(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
    ::close(fd);
    // Nobody listens there, or not yet: either way a packet went out.
    return result == ECONNREFUSED || result == EINPROGRESS ? 0 : result;
}

std::uint32_t fork_once() {
    const long child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) ::_exit(0);
    return result_of(child);
}

std::uint32_t map_memory(std::size_t bytes, int protection, int flags) {
    void* const memory = ::mmap(nullptr, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return static_cast<std::uint32_t>(errno);
    ::munmap(memory, bytes);
    return 0;
}

}  // namespace

std::uint32_t try_forbidden(wire::Attempt attempt, int host_pid, std::uint64_t memory_bytes) {
    using enum wire::Attempt;
    switch (attempt) {
        case read_file: return open_file("/etc/passwd", O_RDONLY);
        case write_file: {
            const std::uint32_t result = open_file("/tmp/varde-probe", O_WRONLY | O_CREAT);
            if (result == 0) ::unlink("/tmp/varde-probe");
            return result;
        }
        case read_environment: {
            char path[64];
            std::snprintf(path, sizeof path, "/proc/%d/environ", host_pid);
            return open_file(path, O_RDONLY);
        }
        case open_socket: return connect_somewhere();
        case run_program: {
            char name[] = "true";
            char* arguments[] = {name, nullptr};
            char* environment[] = {nullptr};
            return result_of(::execve("/bin/true", arguments, environment));
        }
        case start_process: return fork_once();
        case signal_host: return result_of(::kill(host_pid, 0));
        case trace_host: return result_of(::ptrace(PTRACE_SEIZE, host_pid, nullptr, nullptr));
        case run_new_code: return map_memory(4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
        case share_memory: return map_memory(4096, PROT_READ | PROT_WRITE, MAP_SHARED);
        case raise_limit: {
            const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
            return result_of(::setrlimit(RLIMIT_DATA, &none));
        }
        case exhaust_memory: return map_memory(4 * memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        case enter_namespace: return result_of(::unshare(CLONE_NEWUSER));
        case use_bpf: {
            const std::uint32_t result = result_of(::syscall(SYS_bpf, 0, nullptr, 0));
            return result == EINVAL || result == EFAULT ? 0 : result;  // it looked at the arguments: it would have let us
        }
    }
    return ENOSYS;
}

}  // namespace varde::worker
