#pragma once
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace varde::store {

/// A mutual exclusion that is granted in the order of asking, may be released by another thread, and can be given up on. SQLite's own
/// busy handler polls and is not fair: with many writers some starve.
class FairLock {
  public:
    /// Waits for its turn; false after `timeout`.
    [[nodiscard]] bool acquire(std::chrono::milliseconds timeout);
    void release();
    [[nodiscard]] std::size_t waiting() const;

    /// Releases what it holds at its end.
    class Guard {
      public:
        Guard() = default;
        /// `owner` is held by the caller.
        explicit Guard(FairLock& owner) : owner_{&owner} {}
        ~Guard() { release(); }
        Guard(Guard&& other) noexcept : owner_{other.owner_} { other.owner_ = nullptr; }
        Guard& operator=(Guard&& other) noexcept;
        void release();

      private:
        FairLock* owner_ = nullptr;
    };

  private:
    struct Waiter {
        std::condition_variable granted_signal;
        bool granted = false;
    };
    mutable std::mutex mutex_;
    std::deque<Waiter*> waiting_;
    bool held_ = false;
};

}  // namespace varde::store
