#pragma once
#include "evaluate/worker_process.hpp"

#include <chrono>
#include <functional>

namespace varde::evaluate {

/// How long one step of a worker may take, fair to a worker that got no CPU. Pure: time and CPU shares are handed in.
///
/// At half of the timeout the worker's CPU share is noted. At the timeout the second half is judged: a worker that had a CPU for so long
/// is late by its own fault. If the machine kept it waiting, the deadline moves by twice that wait (the first half was measured by nobody
/// and is taken to have been alike), at most to three times the timeout. What is over then was starved, not slow.
class WorkerDeadline {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    using ReadShare = std::function<CpuShare()>;
    enum class Verdict {
        wait,     ///< until due()
        expired,  ///< its own time is used up
        starved,  ///< the machine's fault
    };

    WorkerDeadline(std::chrono::nanoseconds timeout, Instant begun) : timeout_{timeout}, begun_{begun} { restart(begun); }

    /// When to ask judge() again.
    [[nodiscard]] Instant due() const { return due_; }
    [[nodiscard]] Verdict judge(Instant now, const ReadShare& share);
    /// Another item began: it has a deadline of its own.
    void restart(Instant begun, std::chrono::nanoseconds timeout) {
        timeout_ = timeout;
        restart(begun);
    }
    [[nodiscard]] Instant begun() const { return begun_; }
    [[nodiscard]] std::chrono::nanoseconds timeout() const { return timeout_; }

  private:
    void restart(Instant begun) {
        begun_ = begun;
        half_ = false;
        due_ = begun + timeout_ / 2;
        limit_ = begun + timeout_;
    }

    std::chrono::nanoseconds timeout_;
    Instant begun_;
    Instant due_;
    Instant limit_;
    bool half_ = false;
    CpuShare at_half_;
};

}  // namespace varde::evaluate
