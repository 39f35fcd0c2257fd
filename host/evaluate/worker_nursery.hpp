#pragma once
#include "core/error.hpp"
#include "evaluate/worker_process.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>

namespace varde::evaluate {

/// Starts all workers of an engine and keeps some waiting, sealed off, for a plugin: what replaces a dead one in a tenth of a millisecond.
/// One thread of its own starts every one of them, because the kernel kills a worker when the thread that started it ends. So no worker
/// outlives its nursery. That thread has a descriptor table of its own: a start copies the table of the thread that makes it, and that
/// of a host with a thousand workers is long. Thread-safe.
class WorkerNursery {
  public:
    /// `spares`: how many wait. The first start when somebody first asks.
    WorkerNursery(WorkerLaunch launch, std::size_t spares);
    ~WorkerNursery();
    WorkerNursery(const WorkerNursery&) = delete;
    WorkerNursery& operator=(const WorkerNursery&) = delete;

    /// A worker that waits for its set-up message. Blocks for about a millisecond if none is ready. Errors: the system's.
    core::Result<WorkerProcess> take();
    /// That many will be taken soon: they are started meanwhile.
    void expect(std::size_t workers);
    [[nodiscard]] const WorkerLaunch& launch() const { return launch_; }

  private:
    void work();
    void leave_the_descriptor_table() const;
    [[nodiscard]] bool wants_more() const {
        return !error_ && ready_ < std::min(most_ready, std::max(waiting_, expected_ + spares_));
    }
    static constexpr std::size_t most_ready = 64;  ///< what a socket holds without waiting

    const WorkerLaunch launch_;
    const std::size_t spares_;
    std::mutex mutex_;
    std::condition_variable changed_;
    UniqueFd give_;  ///< workers go from the thread's table to that of the host through this socket
    UniqueFd receive_;
    std::optional<core::Error> no_socket_;
    std::size_t ready_ = 0;     ///< in the socket
    std::size_t waiting_ = 0;   ///< callers of take()
    std::size_t expected_ = 0;  ///< beyond the spares
    bool asked_ = false;
    std::optional<core::Error> error_;  ///< of the last start; cleared by who takes it
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace varde::evaluate
