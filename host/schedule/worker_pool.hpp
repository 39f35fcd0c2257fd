#pragma once
#include "ports/run_repository.hpp"
#include "schedule/attempt_end.hpp"
#include "schedule/job_kinds.hpp"
#include "time/clock.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace varde::schedule {

/// Threads that carry out claimed runs. Thread-safe.
///
/// An attempt that reaches its run_timeout is asked to stop and its end is told at once; a job that does not return then keeps its thread,
/// which is replaced by another one (at most as many as there are workers), and what it answers later is dropped.
class WorkerPool {
  public:
    /// `ended` is called once for every run that was started, on a thread of the pool, and must not block. Kinds and clock outlive the
    /// pool.
    WorkerPool(int workers, const JobKinds& kinds, const time::Clock& clock, std::function<void(ports::FinishedRun)> ended);
    /// stop() with no time, if that was not done.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void submit(ports::ClaimedRun run);
    /// How many more runs it can use: those that would start at once and, if runs are short, as many as the workers do in kAhead, so that
    /// thousands of them a second need not be claimed a handful at a time.
    [[nodiscard]] int free() const;
    static constexpr std::chrono::milliseconds kAhead{50};
    static constexpr int kMostAhead = 500;
    /// Runs here, started or not, by queue.
    [[nodiscard]] std::map<std::string, int, std::less<>> by_queue() const;
    [[nodiscard]] int busy() const;   ///< started and not over
    [[nodiscard]] int stuck() const;  ///< threads whose job does not return

    /// Asks a run to stop; unknown ids are ignored.
    void cancel(std::int64_t run_id);
    /// The host has lost its leases: every run is asked to stop, and no end is told.
    void abandon();
    /// Takes back what was submitted that long ago and has not started. Their ends are not told.
    [[nodiscard]] std::vector<std::int64_t> take_unstarted(std::chrono::milliseconds waiting = std::chrono::milliseconds{0});
    /// Waits until all runs are over, at most `drain`; then asks them to stop and waits at most `bound` more. Their ends are told. Jobs
    /// that still do not return are left to the end of the process. No end is told any more when it returns.
    void stop(std::chrono::milliseconds drain, std::chrono::milliseconds bound);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace varde::schedule
