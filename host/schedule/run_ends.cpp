#include "schedule/run_ends.hpp"

#include "schedule/fault_point.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace varde::schedule {
namespace {

constexpr std::ptrdiff_t kMostEnds = 200;  ///< of one transaction
constexpr std::chrono::milliseconds kTryAgain{200};

}  // namespace

RunEnds::RunEnds(ports::RunRepository& runs, const HostLease& lease, const DispatchLog& log, StoreHealth& health,
                 std::function<void()> stored)
    : runs_{runs}, lease_{lease}, log_{log}, health_{health}, stored_{std::move(stored)} {}

void RunEnds::start() {
    thread_ = std::thread{[this] { loop(); }};
}

void RunEnds::expect(const ports::ClaimedRun& run) {
    const std::lock_guard lock{mutex_};
    running_.insert_or_assign(run.run.run_id, run);
}

void RunEnds::unexpect(const std::vector<std::int64_t>& run_ids) {
    const std::lock_guard lock{mutex_};
    for (const auto id : run_ids) running_.erase(id);
}

void RunEnds::add(ports::FinishedRun end) {
    {
        const std::lock_guard lock{mutex_};
        ends_.push_back(std::move(end));
    }
    here_.notify_one();
}

void RunEnds::forget() {
    const std::lock_guard lock{mutex_};
    ends_.clear();
    running_.clear();
}

void RunEnds::drain() {
    {
        const std::lock_guard lock{mutex_};
        draining_ = true;
    }
    here_.notify_all();
    if (thread_.joinable()) thread_.join();
}

RunEnds::Counts RunEnds::counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
}

void RunEnds::loop() {
    std::unique_lock lock{mutex_};
    while (true) {
        here_.wait(lock, [this] { return draining_ || !ends_.empty(); });
        if (ends_.empty()) return;
        const auto last = ends_.begin() + std::min(std::ssize(ends_), kMostEnds);
        std::vector<ports::FinishedRun> batch{std::make_move_iterator(ends_.begin()), std::make_move_iterator(last)};
        ends_.erase(ends_.begin(), last);
        lock.unlock();
        const bool stored = store(batch);
        lock.lock();
        if (stored) continue;
        ends_.insert(ends_.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
        if (draining_) return;  // their leases end soon, and another host, or this one's next life, takes them over
        here_.wait_for(lock, kTryAgain, [this] { return draining_; });
    }
}

/// False: to be tried again.
bool RunEnds::store(const std::vector<ports::FinishedRun>& batch) {
    fault_point("before_finish");
    const auto host = lease_.host();
    if (!host) return false;
    const auto stored = runs_.finish(host->host_id, host->epoch, batch);
    health_.note("storing the ends of runs", stored);
    if (!stored) return false;
    fault_point("finished");
    const std::set<std::int64_t> accepted(stored->begin(), stored->end());
    for (const auto& end : batch) tell(end, accepted.contains(end.run_id));
    stored_();
    return true;
}

void RunEnds::tell(const ports::FinishedRun& end, bool accepted) {
    std::optional<ports::ClaimedRun> claimed;
    {
        const std::lock_guard lock{mutex_};
        if (auto found = running_.extract(end.run_id)) claimed = std::move(found.mapped());
        ++(!accepted ? counts_.fenced : end.state == core::RunState::success ? counts_.succeeded : counts_.failed);
    }
    if (!accepted) return log_.run_fenced(end.run_id);
    if (claimed) log_.run_ended(*claimed, end);
}

}  // namespace varde::schedule
