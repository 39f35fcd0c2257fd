#pragma once
#include "config/settings.hpp"
#include "schedule/dispatch_log.hpp"
#include "schedule/host_time.hpp"
#include "schedule/store_health.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace varde::schedule {

/// This host among the hosts of a database, on a thread of its own: registered, alive, and the owner of its runs. Nothing that the others
/// have to do can keep it from proving that it is.
///
/// Every third of a lease it says that it is alive. If for four fifths of a lease the database has not confirmed that, counted from before
/// the question by the time since boot, other hosts may soon take its runs: it fences itself and registers anew, with another epoch.
/// It also looks for runs of hosts that went away, deletes old history and samples the database's clock.
class HostLease {
  public:
    /// Called on the lease's thread, or on the caller's of start(); they must not wait for it.
    struct Events {
        std::function<void()> enlisted;                   ///< registered: host() is set
        std::function<void()> fenced;                     ///< what runs here is not this host's any more
        std::function<void(std::int64_t run_id)> cancel;  ///< somebody wants a run of this host to end
        std::function<void()> reaped;                     ///< runs of another host are to be run again, or over
    };
    HostLease(const config::HostConfig::Jobs& settings, ports::RunRepository& runs, HostTime& time, const DispatchLog& log,
              StoreHealth& health, bool alone, Events events);
    ~HostLease() { stop(); }
    HostLease(const HostLease&) = delete;
    HostLease& operator=(const HostLease&) = delete;

    void start();
    /// Leaves the list of hosts. Idempotent.
    void stop();
    /// Somebody may have cancelled a run: ask now.
    void hint();
    /// nullopt: not registered, or fenced. Thread-safe.
    [[nodiscard]] std::optional<ports::JobHost> host() const;

  private:
    void loop();
    void enlist();
    void beat(const ports::JobHost& host);
    void fence(const ports::JobHost& host, core::Microseconds silent);
    void reap(bool all);
    std::chrono::steady_clock::duration clean();

    const config::HostConfig::Jobs& settings_;
    ports::RunRepository& runs_;
    HostTime& time_;
    const DispatchLog& log_;
    StoreHealth& health_;
    const bool alone_;
    const Events events_;
    core::Microseconds confirmed_{0};  ///< before the last question that was answered, since boot; the thread's own

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool hinted_ = false;
    std::optional<ports::JobHost> host_;
    std::thread thread_;
};

}  // namespace varde::schedule
