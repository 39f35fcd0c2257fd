#pragma once
#include "schedule/dispatch_log.hpp"
#include "schedule/host_lease.hpp"
#include "schedule/store_health.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace varde::schedule {

/// Stores the ends of attempts, many at a time, on a thread of its own. While the database is away they are kept, and told again.
/// Thread-safe.
class RunEnds {
  public:
    struct Counts {
        std::uint64_t succeeded = 0;
        std::uint64_t failed = 0;  ///< attempts that did not succeed
        std::uint64_t fenced = 0;  ///< refused, because the run had been taken away from this host
    };
    /// `stored` is called after each transaction, on the thread of the ends. All outlive it.
    RunEnds(ports::RunRepository& runs, const HostLease& lease, const DispatchLog& log, StoreHealth& health,
            std::function<void()> stored);
    ~RunEnds() { drain(); }
    RunEnds(const RunEnds&) = delete;
    RunEnds& operator=(const RunEnds&) = delete;

    void start();
    /// A run begins here; its end will come.
    void expect(const ports::ClaimedRun& run);
    /// They were given back: no end will come.
    void unexpect(const std::vector<std::int64_t>& run_ids);
    void add(ports::FinishedRun end);
    /// The leases are lost: what was not stored is not to be stored any more.
    void forget();
    /// Stores what there is, once more if the database fails, and ends the thread. Idempotent; no add() after it.
    void drain();
    [[nodiscard]] Counts counts() const;

  private:
    void loop();
    bool store(const std::vector<ports::FinishedRun>& batch);
    void tell(const ports::FinishedRun& end, bool accepted);

    ports::RunRepository& runs_;
    const HostLease& lease_;
    const DispatchLog& log_;
    StoreHealth& health_;
    const std::function<void()> stored_;

    mutable std::mutex mutex_;
    std::condition_variable here_;
    bool draining_ = false;
    std::vector<ports::FinishedRun> ends_;
    std::map<std::int64_t, ports::ClaimedRun> running_;  ///< for the log
    Counts counts_;
    std::thread thread_;
};

}  // namespace varde::schedule
