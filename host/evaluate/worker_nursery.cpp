#include "evaluate/worker_nursery.hpp"

#include <algorithm>

namespace varde::evaluate {

WorkerNursery::WorkerNursery(WorkerLaunch launch, std::size_t spares)
    : launch_{std::move(launch)}, spares_{spares}, thread_{[this] { work(); }} {}

WorkerNursery::~WorkerNursery() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void WorkerNursery::work() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || (asked_ && wants_more()); });
        if (stop_) return;
        lock.unlock();
        auto worker = WorkerProcess::spawn(launch_);
        lock.lock();
        if (worker)
            ready_.push_back(std::move(*worker));
        else
            error_ = worker.error();
        changed_.notify_all();
    }
}

core::Result<WorkerProcess> WorkerNursery::take() {
    std::unique_lock lock{mutex_};
    for (;;) {
        asked_ = true;
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !ready_.empty() || error_; });
        --waiting_;
        if (ready_.empty()) {
            const core::Error error = *error_;
            error_.reset();
            return tl::unexpected{error};
        }
        WorkerProcess worker = std::move(ready_.front());
        ready_.pop_front();
        if (expected_ > 0) --expected_;
        // One that could not seal itself off says so when it is sent its plugin; one that waited and was killed meanwhile is no news.
        if (worker.runs() || worker.age() < std::chrono::seconds{1}) {
            lock.unlock();
            changed_.notify_all();
            return worker;
        }
    }
}

void WorkerNursery::expect(std::size_t workers) {
    {
        const std::lock_guard lock{mutex_};
        asked_ = true;
        expected_ = workers;
    }
    changed_.notify_all();
}

}  // namespace varde::evaluate
