#pragma once
#include "config/settings.hpp"
#include "ports/log_sink.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_repository.hpp"
#include "schedule/host_time.hpp"
#include "schedule/job_kinds.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace varde::schedule {

/// What a dispatcher is doing, for /health/detail and metrics.
struct DispatcherStatus {
    std::string host_id;
    std::int64_t epoch = 0;
    bool working = false;  ///< registered, with valid leases, and the database answers
    int workers = 0;
    int busy = 0;
    int stuck = 0;              ///< threads whose job did not return after its run_timeout
    std::int64_t pending = 0;   ///< runs that wait for a worker, of all hosts; as of the last second
    std::uint64_t started = 0;  ///< attempts
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;                       ///< attempts that did not succeed
    std::uint64_t fenced = 0;                       ///< ends that the database refused, because the run had been taken away
    std::map<std::string, std::uint64_t> left_out;  ///< slots, by reason
    core::Instant last_look{};                      ///< when due slots were last looked for with success
    std::string problem;                            ///< what the database last said, if it does not answer
    std::string tzdata;                             ///< version of the time zone rules; empty: not known
};

/// Turns due slots into runs and carries them out: three threads beside those of its worker pool.
///
///     dispatch   stored events -> schedules that listen;
///                due slots -> rows; pending rows -> claimed -> workers; waiting rows -> pending; too late -> skipped
///     finish     ends of attempts -> rows, many at a time
///     keep       heartbeat and leases, runs of hosts that went away, retention of the history, the database's clock
///
/// That a slot runs once is decided by the database: its identity is unique, and rows are claimed with locks that others skip. A host that
/// cannot prove for a lease's time that it is alive stops what it runs, and its ends are refused by their epoch. Only one dispatcher may
/// work on a SQLite file (store/instance_lock.hpp); there, runs of an earlier one are taken over at once.
class Dispatcher {
  public:
    /// All outlive the dispatcher.
    struct Ports {
        ports::ScheduleRepository& schedules;
        ports::RunRepository& runs;
        const JobKinds& kinds;
        HostTime& time;
        ports::LogSink& log;
        std::string tzdata{};  ///< time::tzdata_version(); empty: cursors are not recomputed when it changes
    };
    /// `alone`: no other host can be at work on this database.
    Dispatcher(config::HostConfig::Jobs settings, Ports ports, bool alone);
    /// stop(), if that was not done.
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Once. With the database away it keeps trying.
    void start();
    /// Starts nothing more, gives back what was not started, waits for runs (settings.drain), stops them, stores their ends. Idempotent.
    void stop();
    /// Something has changed that it should look at now. From any thread; cheap.
    void hint();
    /// Events of these categories have been stored: those that a schedule listens to are looked at now. Only a hint: what is stored is
    /// looked at within a second anyway. From any thread; cheap; categories that nobody listens to cost a look into a set.
    void events_stored(const std::vector<std::string>& categories);
    [[nodiscard]] DispatcherStatus status() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::schedule
