#pragma once
#include "core/error.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ports {

/// A host process that runs jobs: a new one at every start.
struct JobHost {
    std::string host_id;     ///< random
    std::int64_t epoch = 0;  ///< from the database, higher than that of every host before
    std::string name;        ///< for people
    core::Instant started_at{};
    core::Instant beat_at{};
    friend bool operator==(const JobHost&, const JobHost&) = default;
};

/// A run that this host has claimed, with what it is to do.
struct ClaimedRun {
    core::Run run;
    core::Schedule schedule;
};

struct ClaimRequest {
    std::string owner;
    std::int64_t epoch = 0;
    core::Instant now{};
    core::Microseconds lease{std::chrono::seconds{10}};
    int limit = 1;
    std::vector<std::string> not_queues;   ///< queues that are at their limit
    std::vector<std::string> only_queues;  ///< if not empty: no others
};

/// The end of an attempt.
struct FinishedRun {
    std::int64_t run_id = 0;
    int attempt = 0;
    core::RunState state = core::RunState::success;  ///< terminal, or pending: to be tried again at run_at
    core::SlotReason reason = core::SlotReason::none;
    std::string detail;
    std::string error;
    std::string result;  ///< JSON, or empty
    std::optional<core::Instant> started_at;
    core::Instant finished_at{};
    core::Instant run_at{};
};

struct RunQuery {
    std::string org_id;  ///< empty: all
    std::optional<std::string> schedule_id;
    std::optional<std::string> job_kind;
    std::vector<core::RunState> states;  ///< empty: all
    std::optional<core::SlotReason> reason;
    std::optional<core::SlotKind> kind;
    std::optional<core::Instant> since;  ///< nominal_at >=
    std::optional<core::Instant> until;  ///< nominal_at <
    std::int64_t before = 0;             ///< keyset paging: run_id <; 0: from the newest
    int limit = 20;                      ///< 1..1000
};

/// Over the runs created in [since, until). Rates are percent.
struct RunStatistics {
    std::int64_t total = 0;  ///< rows, whatever their state; a skipped row counts once
    std::map<core::RunState, std::int64_t> by_state;
    std::int64_t skipped_slots = 0;               ///< slots of the skipped rows
    double success_rate = 0;                      ///< success / total * 100; 0 if total is 0
    std::optional<double> success_rate_finished;  ///< success / (success + failed + timed_out + abandoned) * 100
    /// Of finished runs that were started: finished_at - started_at of the last attempt, in seconds. nullopt: none.
    std::optional<double> average_s, minimum_s, maximum_s;
    std::optional<double> median_s, p95_s;  ///< nearest rank
};

struct Renewal {
    bool known = true;  ///< false: the row of the host is gone or of another epoch. It must stop what it runs
    std::vector<std::int64_t> cancel_requested;  ///< its runs that somebody wants to end
};

/// Runs: who may carry them out, what became of them, their history. Thread-safe; blocking. `now` as in ScheduleRepository. A row in a
/// terminal state is never changed, only deleted.
class RunRepository {
  public:
    virtual ~RunRepository() = default;

    /// The database's clock; nullopt if it has none of its own (SQLite): the host's counts then.
    [[nodiscard]] virtual core::Result<std::optional<core::Instant>> database_now() = 0;
    /// A new epoch, and a row in the list of hosts.
    [[nodiscard]] virtual core::Result<JobHost> register_host(const std::string& host_id, const std::string& name,
                                                              core::Instant now) = 0;
    virtual core::Result<void> forget_host(const std::string& host_id) = 0;
    [[nodiscard]] virtual core::Result<std::vector<JobHost>> hosts() = 0;

    /// Pending runs with run_at <= now that are not past their start_by, highest priority first, then the oldest: running, owned, leased,
    /// attempt raised. Those that another host is claiming are left to it. Runs whose schedule is gone are not claimed.
    [[nodiscard]] virtual core::Result<std::vector<ClaimedRun>> claim(const ClaimRequest& request) = 0;
    /// The earliest run_at of a pending run.
    [[nodiscard]] virtual core::Result<std::optional<core::Instant>> next_pending() = 0;
    [[nodiscard]] virtual core::Result<std::int64_t> count_pending() = 0;
    /// Stores the ends of attempts of this owner and epoch. Gives the ids that were stored: the others were taken away meanwhile (lease
    /// lost, cancelled), and what their job did is not to be reported as a success.
    [[nodiscard]] virtual core::Result<std::vector<std::int64_t>> finish(const std::string& owner, std::int64_t epoch,
                                                                         std::span<const FinishedRun> runs) = 0;
    /// Gives runs that were claimed and not started back: pending, the attempt not counted.
    virtual core::Result<void> give_back(const std::string& owner, std::int64_t epoch, std::span<const std::int64_t> run_ids) = 0;
    /// Proves that the host is alive and prolongs the leases of all its runs.
    [[nodiscard]] virtual core::Result<Renewal> renew(const std::string& owner, std::int64_t epoch, core::Instant now,
                                                      core::Microseconds lease) = 0;
    /// Running runs with lease_until < now (of every host; `all`: whatever their lease, when no other host can be alive): each ends as
    /// `decide` says. Gives the rows as they are then.
    virtual core::Result<std::vector<core::Run>> reap(core::Instant now, int limit, bool all,
                                                      const std::function<FinishedRun(const ClaimedRun&)>& decide) = 0;
    /// Pending runs past their start_by become skipped (misfire), waiting ones skipped (dependency_not_met). Gives the rows.
    virtual core::Result<std::vector<core::Run>> expire(core::Instant now, int limit) = 0;

    /// Adds a run that somebody asked for. `allow` is asked inside the transaction, with the schedule and how many of its runs are alive;
    /// its error is handed on. The same schedule and idempotency key again: that run, with created = false, and `allow` is not asked.
    /// Errc::not_found: the schedule, in the org (empty: any).
    struct Added {
        core::Run run;
        bool created = true;
    };
    using Allow = std::function<core::Result<core::Run>(const core::Schedule& schedule, int live, int queued)>;
    [[nodiscard]] virtual core::Result<Added> add(const std::string& schedule_id, const std::string& org_id,
                                                  const std::string& idempotency_key, const Allow& allow) = 0;
    /// Waiting and pending: cancelled at once. Running: asked to stop. Errc::conflict: it is over. Errc::not_found as find().
    [[nodiscard]] virtual core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id, const std::string& by,
                                                         core::Instant now) = 0;

    /// Errc::not_found: there is none in the org (empty: any).
    [[nodiscard]] virtual core::Result<core::Run> find(std::int64_t run_id, const std::string& org_id) = 0;
    /// Newest first. Errc::invalid_argument: the limit.
    [[nodiscard]] virtual core::Result<std::vector<core::Run>> list(const RunQuery& query) = 0;
    /// The rows of slots of a schedule nearest to an instant: the newest whose slots begin at or before it, whatever its kind, and the
    /// first one after it.
    struct Around {
        std::optional<core::Run> at_or_before;
        std::optional<core::Run> after;
    };
    [[nodiscard]] virtual core::Result<Around> around(const std::string& schedule_id, core::Instant at) = 0;
    /// Of the query, its before and limit not looked at.
    [[nodiscard]] virtual core::Result<RunStatistics> statistics(const RunQuery& query) = 0;
    /// Deletes up to `limit` terminal rows that finished before an instant, the oldest first; of an org, or all (empty). Gives how many.
    virtual core::Result<std::int64_t> cleanup(core::Instant before, const std::string& org_id, std::int64_t limit) = 0;
};

}  // namespace varde::ports
