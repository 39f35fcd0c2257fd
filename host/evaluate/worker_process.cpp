#include "evaluate/worker_process.hpp"

#include "wire/control_layout.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace varde::evaluate {
namespace {

constexpr std::size_t log_tail_bytes = 4096;
// Above the numbers that the child's 0 .. 3 are put to, so that no dup2 there hits a descriptor that is still needed.
constexpr int lowest_own_fd = 16;

core::Result<UniqueFd> raised(int fd, const char* what) {
    UniqueFd low{fd};
    UniqueFd high{low ? ::fcntl(low.get(), F_DUPFD_CLOEXEC, lowest_own_fd) : -1};
    if (!high) return core::fail(core::Errc::worker_failed, std::string{what} + ": " + std::strerror(errno));
    return high;
}

struct SpawnActions {
    SpawnActions() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
    ~SpawnActions() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
    // The host may block or ignore signals; the worker starts with none of that.
    void reset_signals() {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

std::string printable(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            c = '|';
        else if (byte < 0x20 || byte >= 0x7f)
            c = '?';
    }
    return text;
}

}  // namespace

core::Result<WorkerProgram> WorkerProgram::open(const std::string& path) {
    std::string file = path;
    if (file.empty()) {
        char self[4096];
        const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
        if (length <= 0) return core::fail(core::Errc::worker_failed, "cannot find the directory of the running program");
        file.assign(self, static_cast<std::size_t>(length));
        file.replace(file.rfind('/') + 1, std::string::npos, "varde-worker");
    }
    UniqueFd fd{::open(file.c_str(), O_PATH | O_CLOEXEC)};
    if (!fd) return core::fail(core::Errc::worker_failed, "worker program " + file + ": " + std::strerror(errno));
    UniqueFd high{::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest_own_fd)};
    if (!high) return core::fail(core::Errc::worker_failed, std::string{"worker program: "} + std::strerror(errno));
    return WorkerProgram{std::move(high)};
}

core::Result<WorkerProcess> WorkerProcess::spawn(const WorkerProgram& program, int cpu) {
    const auto failed = [](const char* step, int error) {
        return core::fail(core::Errc::worker_failed, std::string{step} + ": " + std::strerror(error));
    };
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return failed("socketpair", errno);
    auto own_setup = raised(sockets[0], "set-up socket");
    auto their_setup = raised(sockets[1], "set-up socket");
    int pipes[2];
    if (::pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0) return failed("pipe2", errno);
    auto log_read = raised(pipes[0], "log pipe");
    auto log_write = raised(pipes[1], "log pipe");
    for (const auto* made : {&own_setup, &their_setup, &log_read, &log_write})
        if (!*made) return tl::unexpected{made->error()};

    SpawnActions actions;
    ::posix_spawn_file_actions_addopen(&actions.files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions.files, log_write->get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions.files, log_write->get(), 2);
    ::posix_spawn_file_actions_adddup2(&actions.files, their_setup->get(), wire::fd_setup);
    actions.reset_signals();
    const std::string file = "/proc/self/fd/" + std::to_string(program.fd());
    std::string cpu_text = std::to_string(cpu);
    std::string host_text = std::to_string(::getpid());
    char name[] = "varde-worker";
    char* arguments[] = {name, cpu_text.data(), host_text.data(), nullptr};
    char* environment[] = {nullptr};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, file.c_str(), &actions.files, &actions.attributes, arguments, environment);
    if (error != 0) return failed("posix_spawn of varde-worker", error);
    // Not reaped by anybody yet, so the pid still names this child.
    UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) {
        const int reason = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return failed("pidfd_open", reason);
    }
    return WorkerProcess{pid, std::move(pidfd), std::move(*own_setup), std::move(*log_read)};
}

WorkerProcess::~WorkerProcess() {
    if (!pidfd_) return;
    kill();
    reap();
}

core::Result<void> WorkerProcess::send_setup(const wire::SetupMessage& setup,
                                             const std::array<int, wire::setup_descriptors>& fds) {
    iovec data{const_cast<wire::SetupMessage*>(&setup), sizeof setup};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof fds)] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fds);
    std::memcpy(CMSG_DATA(head), fds.data(), sizeof fds);
    ssize_t sent = 0;
    do sent = ::sendmsg(setup_.get(), &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    const int error = errno;
    setup_.reset();
    if (sent != sizeof setup)
        return core::fail(core::Errc::worker_failed, std::string{"set-up message: "} + std::strerror(error));
    return {};
}

void WorkerProcess::kill() {
    if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

WorkerExit WorkerProcess::reap() {
    WorkerExit end;
    if (!pidfd_) return end;
    pollfd ended{pidfd_.get(), POLLIN, 0};
    int ready = 0;
    do ready = ::poll(&ended, 1, 1000);
    while (ready < 0 && errno == EINTR);
    siginfo_t info{};
    const int done = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
    end.lost = ready != 1 || done != 0 || info.si_pid == 0;
    end.by_signal = !end.lost && info.si_code != CLD_EXITED;
    end.status = end.lost ? 0 : info.si_status;
    if (!end.lost) pidfd_.reset();
    return end;
}

std::string WorkerProcess::take_log() {
    std::string tail;
    char block[4096];
    // Bounded: a rule that writes without end must not keep the host here.
    for (int blocks = 0; blocks < 64; ++blocks) {
        const ssize_t count = ::read(log_.get(), block, sizeof block);
        if (count <= 0) break;
        tail.append(block, static_cast<std::size_t>(count));
        if (tail.size() > log_tail_bytes) tail.erase(0, tail.size() - log_tail_bytes);
    }
    return printable(std::move(tail));
}

}  // namespace varde::evaluate
