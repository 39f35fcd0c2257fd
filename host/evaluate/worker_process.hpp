#pragma once
#include "core/error.hpp"
#include "evaluate/unique_fd.hpp"
#include "evaluate/worker_cgroup.hpp"
#include "wire/setup_message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::evaluate {

/// The varde-worker binary, opened once at start: a file that is replaced later does not change what runs.
class WorkerProgram {
  public:
    /// `path` empty: varde-worker beside the running program.
    static core::Result<WorkerProgram> open(const std::string& path);
    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    explicit WorkerProgram(UniqueFd fd) : fd_{std::move(fd)} {}
    UniqueFd fd_;
};

/// Namespaces that all workers join (worker/sandbox_namespaces.hpp). Kept alive by their descriptors; may be none.
class SharedNamespaces {
  public:
    SharedNamespaces() = default;
    /// Starts the worker program once to make them; waits at most `patience`. An error says which step this system refuses.
    static core::Result<SharedNamespaces> make(const WorkerProgram& program, std::chrono::milliseconds patience);
    [[nodiscard]] const std::vector<UniqueFd>& descriptors() const { return descriptors_; }

  private:
    friend class WorkerProcess;
    std::vector<UniqueFd> descriptors_;
};

/// How workers of one engine are started.
struct WorkerLaunch {
    WorkerProgram program;
    SharedNamespaces namespaces;
    int cpu = -1;                ///< the only one they may use; -1: any
    std::uint32_t without = 0;   ///< wire::posture_* layers to leave out
    std::uint32_t required = 0;  ///< layers without which a worker sees no plugin
    std::optional<CgroupTree> cgroups{};
    std::string no_cgroups{};  ///< why there are none
};

/// How a worker ended, as the kernel says it.
struct WorkerExit {
    bool by_signal = false;
    int status = 0;            ///< signal or exit code
    bool lost = false;         ///< could not be reaped within a second of its SIGKILL
    bool over_memory = false;  ///< the kernel ended it at the limit of its cgroup
};

/// Time a process had a CPU, and time it was ready to run and had none, since it began (/proc/PID/schedstat).
struct CpuShare {
    std::chrono::nanoseconds cpu{};
    std::chrono::nanoseconds run_delay{};
};

/// One worker process. The destructor kills and reaps it. The kernel also kills it when the thread that spawned it ends, so that
/// thread must live as long as the worker is used.
class WorkerProcess {
  public:
    /// Starts a worker that seals itself off and waits for its set-up message.
    static core::Result<WorkerProcess> spawn(const WorkerLaunch& launch);

    /// Sends it over a socket to a thread that may have another descriptor table: from now on it is that one's to use and to end.
    core::Result<void> hand_over(int socket) &&;
    /// Takes what hand_over() sent; does not wait.
    static core::Result<WorkerProcess> take_over(int socket);

    WorkerProcess(WorkerProcess&&) noexcept = default;
    WorkerProcess& operator=(WorkerProcess&&) = delete;
    ~WorkerProcess();

    /// Puts it into a leaf of the launch's cgroups, if there are any. An error only where a leaf is required.
    core::Result<void> confine(const WorkerLaunch& launch, std::uint64_t memory_bytes);
    [[nodiscard]] bool in_cgroup() const { return cgroup_.exists(); }
    /// The set-up message with descriptors {control, request pipe, response pipe, plugin ...}. May be called once.
    core::Result<void> send_setup(const wire::SetupMessage& setup, std::span<const wire::SetupPlugin> plugins,
                                  std::span<const int> descriptors);
    /// One more descriptor, for RequestKind::attach.
    core::Result<void> send_descriptor(int fd);

    [[nodiscard]] int pid() const { return pid_; }
    [[nodiscard]] std::chrono::nanoseconds age() const { return std::chrono::steady_clock::now() - born_; }
    [[nodiscard]] int pidfd() const { return pidfd_.get(); }
    void kill();
    void signal(int number);
    /// False once it ended, whether or not it was reaped.
    [[nodiscard]] bool runs() const;
    [[nodiscard]] CpuShare cpu_share() const;
    /// Memory it holds now, in bytes; 0 if it ended.
    [[nodiscard]] std::uint64_t resident_bytes() const;
    /// The most it ever held; 0 if it ended. (What the kernel tells of a dead child is no use: that figure begins with its parent's.)
    [[nodiscard]] std::uint64_t peak_bytes() const;
    /// Waits for the end, at most that long; call once it died or was killed.
    WorkerExit reap(std::chrono::milliseconds patience = std::chrono::seconds{1});
    /// Takes what the worker wrote to its standard error so far; at most the last 4 KiB, one line, printable.
    std::string take_log();

  private:
    friend class SharedNamespaces;
    core::Result<SharedNamespaces> receive_namespaces(std::chrono::milliseconds patience);
    WorkerProcess(int pid, UniqueFd pidfd, UniqueFd setup, UniqueFd log)
        : pid_{pid}, pidfd_{std::move(pidfd)}, setup_{std::move(setup)}, log_{std::move(log)} {}
    int pid_;
    std::chrono::steady_clock::time_point born_ = std::chrono::steady_clock::now();
    UniqueFd pidfd_;  ///< none once reaped
    UniqueFd setup_;
    UniqueFd log_;
    WorkerCgroup cgroup_;
};

/// Above the numbers that a child's own descriptors are put to, so that no dup2 there hits one that is still needed.
[[nodiscard]] core::Result<UniqueFd> raised(int fd, const char* what);

}  // namespace varde::evaluate
