#pragma once
#include "core/error.hpp"
#include "evaluate/unique_fd.hpp"
#include "wire/setup_message.hpp"

#include <array>
#include <string>

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

/// How a worker ended, as the kernel says it.
struct WorkerExit {
    bool by_signal = false;
    int status = 0;     ///< signal or exit code
    bool lost = false;  ///< could not be reaped within a second of its SIGKILL
};

/// One worker process. The destructor kills and reaps it. The kernel also kills it when the thread that spawned it ends, so that
/// thread must live as long as the worker is used.
class WorkerProcess {
  public:
    /// Starts a worker that waits for its set-up message. `cpu`: the only CPU it may use, or -1.
    static core::Result<WorkerProcess> spawn(const WorkerProgram& program, int cpu);

    WorkerProcess(WorkerProcess&&) noexcept = default;
    WorkerProcess& operator=(WorkerProcess&&) = delete;
    ~WorkerProcess();

    /// Sends descriptors {plugin, batch, control, request pipe, response pipe}. May be called once.
    core::Result<void> send_setup(const wire::SetupMessage& setup, const std::array<int, wire::setup_descriptors>& fds);

    [[nodiscard]] int pid() const { return pid_; }
    [[nodiscard]] int pidfd() const { return pidfd_.get(); }
    void kill();
    /// Waits for the end; call once it died or was killed.
    WorkerExit reap();
    /// Takes what the worker wrote to its standard error so far; at most the last 4 KiB, one line, printable.
    std::string take_log();

  private:
    WorkerProcess(int pid, UniqueFd pidfd, UniqueFd setup, UniqueFd log)
        : pid_{pid}, pidfd_{std::move(pidfd)}, setup_{std::move(setup)}, log_{std::move(log)} {}
    int pid_;
    UniqueFd pidfd_;  ///< none once reaped
    UniqueFd setup_;
    UniqueFd log_;
};

}  // namespace varde::evaluate
