#pragma once
#include <condition_variable>
#include <mutex>

namespace varde::fakes {

/// Lets a test hold a fake inside a call and see that it is there: instead of sleeping.
class Gate {
  public:
    /// The fake: announces itself and waits while the gate is closed.
    void pass() {
        std::unique_lock lock{mutex_};
        ++arrived_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void close() {
        const std::lock_guard lock{mutex_};
        open_ = false;
    }
    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }
    /// The test: waits until pass() was called `count` times in all.
    void wait_for_arrivals(int count) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return arrived_ >= count; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    int arrived_ = 0;
};

}  // namespace varde::fakes
