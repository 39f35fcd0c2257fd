#include "evaluate/worker_process.hpp"

#include "wire/control_layout.hpp"
#include "wire/message.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace varde::evaluate {
namespace {

constexpr std::size_t log_tail_bytes = 4096;
// Above the numbers that the child's 0 .. 3 are put to, so that no dup2 there hits a descriptor that is still needed.
constexpr int lowest_own_fd = 16;

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

/// A running program of ours with the parent's ends of its socket and log pipe.
struct Started {
    int pid;
    UniqueFd pidfd;
    UniqueFd socket;
    UniqueFd log;
};

core::Result<Started> start(const WorkerProgram& program, std::vector<std::string> texts,
                            const std::vector<UniqueFd>& inherited) {
    const auto failed = [](const char* step, int error) {
        return core::fail(core::Errc::worker_failed, std::string{step} + ": " + std::strerror(error));
    };
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return failed("socketpair", errno);
    auto own_socket = raised(sockets[0], "set-up socket");
    auto their_socket = raised(sockets[1], "set-up socket");
    int pipes[2];
    if (::pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0) return failed("pipe2", errno);
    auto log_read = raised(pipes[0], "log pipe");
    auto log_write = raised(pipes[1], "log pipe");
    for (const auto* made : {&own_socket, &their_socket, &log_read, &log_write})
        if (!*made) return tl::unexpected{made->error()};

    SpawnActions actions;
    ::posix_spawn_file_actions_addopen(&actions.files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions.files, log_write->get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions.files, log_write->get(), 2);
    ::posix_spawn_file_actions_adddup2(&actions.files, their_socket->get(), wire::fd_setup);
    for (std::size_t i = 0; i < inherited.size(); ++i)
        ::posix_spawn_file_actions_adddup2(&actions.files, inherited[i].get(), wire::fd_setup + 1 + static_cast<int>(i));
    actions.reset_signals();
    const std::string file = "/proc/self/fd/" + std::to_string(program.fd());
    texts.insert(texts.begin(), "varde-worker");
    std::vector<char*> arguments;
    arguments.reserve(texts.size() + 1);
    for (std::string& text : texts) arguments.push_back(text.data());
    arguments.push_back(nullptr);
    char* environment[] = {nullptr};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, file.c_str(), &actions.files, &actions.attributes, arguments.data(), environment);
    if (error != 0) return failed("posix_spawn of varde-worker", error);
    // Not reaped by anybody yet, so the pid still names this child.
    UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) {
        const int reason = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return failed("pidfd_open", reason);
    }
    return Started{pid, std::move(pidfd), std::move(*own_socket), std::move(*log_read)};
}

core::Result<void> send(int socket, std::span<iovec> data, std::span<const int> descriptors) {
    alignas(cmsghdr) char space[CMSG_SPACE(wire::max_setup_descriptors * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = data.data();
    message.msg_iovlen = data.size();
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
    // Never waits: a worker that does not read must not hold up its host.
    if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return core::fail(core::Errc::worker_failed, std::string{"set-up socket: "} + std::strerror(errno));
    return {};
}

/// The first number of `text` and the one after it.
CpuShare parse_schedstat(const std::string& text) {
    long long cpu = 0;
    long long delay = 0;
    if (std::sscanf(text.c_str(), "%lld %lld", &cpu, &delay) != 2) return {};
    return {std::chrono::nanoseconds{cpu}, std::chrono::nanoseconds{delay}};
}

std::string read_proc(int pid, const char* name) {
    const UniqueFd fd{::open(("/proc/" + std::to_string(pid) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC)};
    char text[4096];
    const ssize_t count = fd ? ::read(fd.get(), text, sizeof text) : -1;
    return count <= 0 ? std::string{} : std::string{text, static_cast<std::size_t>(count)};
}

/// What hand_over() sends, beside process, set-up socket and log pipe.
struct Handed {
    int pid;
    std::chrono::steady_clock::time_point born;
};
constexpr std::size_t handed_descriptors = 3;

}  // namespace

core::Result<UniqueFd> raised(int fd, const char* what) {
    UniqueFd low{fd};
    UniqueFd high{low ? ::fcntl(low.get(), F_DUPFD_CLOEXEC, lowest_own_fd) : -1};
    if (!high) return core::fail(core::Errc::worker_failed, std::string{what} + ": " + std::strerror(errno));
    return high;
}

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

core::Result<WorkerProcess> WorkerProcess::spawn(const WorkerLaunch& launch) {
    std::vector<std::string> arguments{std::to_string(launch.cpu), std::to_string(::getpid()), std::to_string(launch.without),
                                       std::to_string(launch.required & ~wire::posture_cgroup),
                                       std::to_string(launch.namespaces.descriptors().size())};
    auto started = start(launch.program, std::move(arguments), launch.namespaces.descriptors());
    if (!started) return tl::unexpected{started.error()};
    return WorkerProcess{started->pid, std::move(started->pidfd), std::move(started->socket), std::move(started->log)};
}

core::Result<void> WorkerProcess::hand_over(int socket) && {
    Handed facts{pid_, born_};
    iovec data{&facts, sizeof facts};
    const int descriptors[handed_descriptors] = {pidfd_.get(), setup_.get(), log_.get()};
    auto sent = send(socket, {&data, 1}, descriptors);
    if (sent) pidfd_.reset();
    return sent;
}

core::Result<WorkerProcess> WorkerProcess::take_over(int socket) {
    Handed facts{};
    iovec data{&facts, sizeof facts};
    alignas(cmsghdr) char space[CMSG_SPACE(handed_descriptors * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (count != sizeof facts || head == nullptr || head->cmsg_len < CMSG_LEN(sizeof(int)))
        return core::fail(core::Errc::worker_failed, std::string{"a worker cannot be handed over: "} + std::strerror(errno));
    int received[handed_descriptors] = {-1, -1, -1};
    std::memcpy(received, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    WorkerProcess process{facts.pid, UniqueFd{received[0]}, UniqueFd{received[1]}, UniqueFd{received[2]}};
    process.born_ = facts.born;
    if (process.log_) return process;
    // The kernel left out what does not fit the descriptor table any more. Nobody reaped it yet, so the pid still names this child.
    if (!process.pidfd_) {
        ::kill(facts.pid, SIGKILL);
        ::waitpid(facts.pid, nullptr, 0);
    }
    return core::fail(core::Errc::worker_failed, std::string{"a worker cannot be handed over: "} + std::strerror(EMFILE));
}

WorkerProcess::~WorkerProcess() {
    if (!pidfd_) return;
    kill();
    reap();
}

core::Result<void> WorkerProcess::confine(const WorkerLaunch& launch, std::uint64_t memory_bytes) {
    std::string why = launch.no_cgroups;
    if (launch.cgroups) {
        auto leaf = launch.cgroups->leaf(pid_, memory_bytes);
        if (leaf) {
            cgroup_ = std::move(*leaf);
            return {};
        }
        why = leaf.error().context;
    }
    if ((launch.required & wire::posture_cgroup) == 0) return {};
    return core::fail(core::Errc::worker_failed, "isolation.require names cgroup: " + why);
}

core::Result<void> WorkerProcess::send_setup(const wire::SetupMessage& setup, std::span<const wire::SetupPlugin> plugins,
                                             std::span<const int> descriptors) {
    iovec data[2] = {{const_cast<wire::SetupMessage*>(&setup), sizeof setup},
                     {const_cast<wire::SetupPlugin*>(plugins.data()), plugins.size_bytes()}};
    return send(setup_.get(), data, descriptors);
}

core::Result<void> WorkerProcess::send_descriptor(int fd) {
    char byte = 'W';
    iovec data{&byte, 1};
    return send(setup_.get(), {&data, 1}, {&fd, 1});
}

core::Result<SharedNamespaces> SharedNamespaces::make(const WorkerProgram& program, std::chrono::milliseconds patience) {
    auto started = start(program, {"--namespaces"}, {});
    if (!started) return tl::unexpected{started.error()};
    WorkerProcess maker{started->pid, std::move(started->pidfd), std::move(started->socket), std::move(started->log)};
    return maker.receive_namespaces(patience);
}

core::Result<SharedNamespaces> WorkerProcess::receive_namespaces(std::chrono::milliseconds patience) {
    pollfd source{setup_.get(), POLLIN, 0};
    ::poll(&source, 1, static_cast<int>(patience.count()));
    char byte = 0;
    iovec data{&byte, 1};
    constexpr std::size_t most = 8;
    alignas(cmsghdr) char space[CMSG_SPACE(most * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    const ssize_t count = ::recvmsg(setup_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const cmsghdr* head = count == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
    kill();
    reap();
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) {
        const std::string said = take_log();
        return core::fail(core::Errc::worker_failed, said.empty() ? "namespaces: no answer" : said);
    }
    int received[most];
    const std::size_t bytes = head->cmsg_len - CMSG_LEN(0);
    std::memcpy(received, CMSG_DATA(head), bytes);
    SharedNamespaces made;
    for (std::size_t i = 0; i < bytes / sizeof(int); ++i) {
        auto high = raised(received[i], "namespace");
        if (!high) return tl::unexpected{high.error()};
        made.descriptors_.push_back(std::move(*high));
    }
    return made;
}

void WorkerProcess::signal(int number) {
    if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

bool WorkerProcess::runs() const {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    return pidfd_ && ::poll(&ended, 1, 0) == 0;
}

CpuShare WorkerProcess::cpu_share() const { return parse_schedstat(read_proc(pid_, "schedstat")); }

std::uint64_t WorkerProcess::peak_bytes() const {
    const std::string status = read_proc(pid_, "status");
    const std::size_t line = status.find("VmHWM:");
    return line == std::string::npos ? 0 : std::strtoull(status.c_str() + line + 6, nullptr, 10) * 1024;
}

std::uint64_t WorkerProcess::resident_bytes() const {
    unsigned long size = 0;
    unsigned long resident = 0;
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return std::sscanf(read_proc(pid_, "statm").c_str(), "%lu %lu", &size, &resident) == 2 ? resident * page : 0;
}

void WorkerProcess::kill() { signal(SIGKILL); }

WorkerExit WorkerProcess::reap(std::chrono::milliseconds patience) {
    WorkerExit end;
    if (!pidfd_) return end;
    pollfd ended{pidfd_.get(), POLLIN, 0};
    int ready = 0;
    do ready = ::poll(&ended, 1, static_cast<int>(patience.count()));
    while (ready < 0 && errno == EINTR);
    siginfo_t info{};
    const int done = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
    end.lost = ready != 1 || done != 0 || info.si_pid == 0;
    end.by_signal = !end.lost && info.si_code != CLD_EXITED;
    end.status = end.lost ? 0 : info.si_status;
    if (end.lost) return end;
    pidfd_.reset();
    end.over_memory = cgroup_.ran_out_of_memory();
    cgroup_ = {};
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
