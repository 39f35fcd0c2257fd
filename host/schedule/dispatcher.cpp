#include "schedule/dispatcher.hpp"

#include "schedule/dispatch_log.hpp"
#include "schedule/event_ear.hpp"
#include "schedule/fault_point.hpp"
#include "schedule/host_lease.hpp"
#include "schedule/queue_limits.hpp"
#include "schedule/run_ends.hpp"
#include "schedule/schedule_edits.hpp"
#include "schedule/slot_decision.hpp"
#include "schedule/store_health.hpp"
#include "schedule/worker_pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace varde::schedule {
namespace {

using core::Instant;
using core::Microseconds;
using core::Result;
using core::Run;
using core::RunState;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kStopBound{2'000};  ///< for jobs that were asked to stop
constexpr std::chrono::seconds kLongestWait{1};         ///< of a claimed run for a worker; then another host may have one
constexpr std::chrono::milliseconds kHeld{50};
constexpr std::chrono::seconds kSlowly{1};  ///< for what does not need to be seen at once

}  // namespace

class Dispatcher::Impl {
  public:
    Impl(config::HostConfig::Jobs settings, Ports ports, bool alone)
        : settings_{std::move(settings)},
          ports_{ports},
          log_{ports.log},
          health_{log_},
          lease_{settings_,
                 ports.runs,
                 ports.time,
                 log_,
                 health_,
                 alone,
                 {.enlisted = [this] { hint(); },
                  .fenced = [this] { fenced(); },
                  .cancel = [this](std::int64_t run_id) { pool_.cancel(run_id); },
                  .reaped = [this] { look_again(); }}},
          ends_{ports.runs, lease_, log_, health_, [this] { look_again(); }},
          ear_{ports.schedules, log_},
          limits_{settings_.queues},
          pool_{settings_.workers, ports.kinds, ports.time, [this](ports::FinishedRun end) { ends_.add(std::move(end)); }} {
        status_.workers = settings_.workers;
    }
    ~Impl() { stop(); }

    void start() {
        lease_.start();
        ends_.start();
        thread_ = std::thread{[this] { loop(); }};
    }

    void stop() {
        {
            const std::lock_guard lock{mutex_};
            if (std::exchange(stopping_, true)) return;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
        // Nothing is claimed any more. The leases are kept until the last end is stored.
        give_back(std::chrono::milliseconds{0});
        pool_.stop(settings_.drain, kStopBound);
        ends_.drain();
        lease_.stop();
    }

    void hint() {
        lease_.hint();
        ear_.schedules_changed();
        look_again();
    }

    void events_stored(const std::vector<std::string>& categories) {
        if (ear_.stored(categories)) look_again();
    }

    DispatcherStatus status() const {
        const auto host = lease_.host();
        const auto counts = ends_.counts();
        const std::lock_guard lock{mutex_};
        auto status = status_;
        if (host) status.host_id = host->host_id;
        if (host) status.epoch = host->epoch;
        status.problem = health_.problem();
        status.tzdata = ports_.tzdata;
        status.working = host.has_value() && status.problem.empty();
        status.busy = pool_.busy();
        status.stuck = pool_.stuck();
        status.succeeded = counts.succeeded;
        status.failed = counts.failed;
        status.fenced = counts.fenced;
        return status;
    }

  private:
    void look_again() {
        {
            const std::lock_guard lock{mutex_};
            hinted_ = true;
        }
        wake_.notify_all();
    }

    void fenced() {
        pool_.abandon();
        ends_.forget();
    }

    void loop() {
        auto slowly = Steady::now();
        while (true) {
            bool more = false;
            const auto host = lease_.host();
            if (host) {
                const bool slow_turn = Steady::now() >= slowly;
                const auto looked = look(*host, slow_turn);
                if (slow_turn) slowly = Steady::now() + kSlowly;
                health_.note("looking for due slots", looked);
                more = looked.value_or(false);
            }
            const auto until = more ? Steady::now() : wake_at(host.has_value());
            std::unique_lock lock{mutex_};
            wake_.wait_until(lock, until, [this] { return stopping_ || hinted_; });
            if (stopping_) return;
            settle_soon_ = std::exchange(hinted_, false);
        }
    }

    /// One round. True: there may be more to do at once.
    Result<bool> look(const ports::JobHost& host, bool slow_turn) {
        if (auto followed = follow_zones(); !followed) return tl::unexpected{followed.error()};
        const auto heard = ear_.hear(ports_.time.now(), slow_turn);
        if (heard) std::ranges::for_each(heard->rows, [this](const Run& row) { leave_out(row); });
        limits_.begin(HostTime::since_boot(), pool_.by_queue());
        fault_point("before_fire");
        const auto fired = fire(host);
        if (!fired) return fired;
        if (slow_turn || settle_soon_) {
            if (auto settled = settle(); !settled) return tl::unexpected{settled.error()};
        }
        if (slow_turn) {
            give_back(kLongestWait);
            if (auto known = learn(); !known) return tl::unexpected{known.error()};
        }
        if (auto known = ear_.learn(slow_turn); !known) return tl::unexpected{known.error()};
        const auto claimed = claim(host);
        if (!claimed) return claimed;
        if (!heard) return tl::unexpected{heard.error()};
        const std::lock_guard lock{mutex_};
        status_.last_look = ports_.time.now();
        return heard->more || *fired || *claimed;
    }

    /// Once: what is to come by a wall clock may come at another time than was thought with older rules.
    Result<void> follow_zones() {
        if (zones_followed_ || ports_.tzdata.empty()) return {};
        const auto now = ports_.time.now();
        const auto followed = ports_.schedules.follow_zones(
            ports_.tzdata,
            [now](core::Schedule& schedule, const core::Calendars& calendars) { follow_clock(schedule, calendars, now); });
        if (!followed) return tl::unexpected{followed.error()};
        zones_followed_ = true;
        log_.zones_followed(ports_.tzdata, *followed);
        return {};
    }

    Result<bool> fire(const ports::JobHost& host) {
        const auto now = looked_at_ = ports_.time.now();
        int free = backlog_ ? 0 : pool_.free();
        // The database may ask about a schedule twice (a deadlock is tried again): what is counted here errs on the side of fewer.
        std::map<std::string, core::Schedule> started;
        const auto fired = ports_.schedules.fire_due(now, settings_.batch, [&](const ports::DueSchedule& due) {
            auto decision = decide(due, now, queue_full_);
            for (auto& run : decision.runs) {
                if (run.state != RunState::pending || run.run_at > now || free == 0 || !limits_.room(run.queue)) continue;
                start_here(run, host, now);
                limits_.take(run.queue);
                --free;
                started.insert_or_assign(run.schedule_id, due.schedule);
            }
            fault_point("firing");
            return decision;
        });
        if (!fired) return tl::unexpected{fired.error()};
        fault_point("fired");
        for (const auto& what : fired->heeded) log_.heeded(what);
        for (const auto& run : fired->rows) {
            if (run.state == RunState::running) {
                submit({run, started.at(run.schedule_id)});
            } else if (run.state == RunState::skipped) {
                leave_out(run);
            } else if (run.state == RunState::pending) {
                backlog_ = true;
            }
        }
        return fired->schedules >= settings_.batch || !fired->heeded.empty();
    }

    /// A worker is free and nobody waits: the row begins its life running, which saves the claim.
    void start_here(Run& run, const ports::JobHost& host, Instant now) const {
        run.state = RunState::running;
        run.attempt = 1;
        run.owner = host.host_id;
        run.epoch = host.epoch;
        run.lease_until = now + settings_.lease;
        run.started_at = now;
    }

    Result<bool> claim(const ports::JobHost& host) {
        ports::ClaimRequest request;
        request.owner = host.host_id;
        request.epoch = host.epoch;
        request.now = ports_.time.now();
        request.lease = settings_.lease;
        fault_point("before_claim");
        for (const auto& [name, limit] : limits_.limits()) {
            request.limit = limits_.rest(name, std::min(pool_.free(), settings_.batch));
            request.only_queues = {name};
            if (request.limit > 0) {
                const auto claimed = claim_some(request);
                if (!claimed) return tl::unexpected{claimed.error()};
            }
        }
        request.only_queues.clear();
        for (const auto& [name, limit] : limits_.limits()) request.not_queues.push_back(name);
        request.limit = std::min(pool_.free(), settings_.batch);
        if (request.limit == 0) {
            backlog_ = true;  // for all that is known
            return false;
        }
        const auto claimed = claim_some(request);
        if (!claimed) return tl::unexpected{claimed.error()};
        backlog_ = *claimed >= request.limit;
        return backlog_ && pool_.free() > 0;
    }

    Result<int> claim_some(const ports::ClaimRequest& request) {
        auto claimed = ports_.runs.claim(request);
        if (!claimed) return tl::unexpected{claimed.error()};
        if (!claimed->empty()) fault_point("claimed");
        for (auto& one : *claimed) {
            limits_.take(one.run.queue);
            submit(std::move(one));
        }
        return static_cast<int>(claimed->size());
    }

    void submit(ports::ClaimedRun claimed) {
        log_.run_started(claimed.run);
        ends_.expect(claimed);
        {
            const std::lock_guard lock{mutex_};
            ++status_.started;
        }
        pool_.submit(std::move(claimed));
    }

    Result<void> settle() {
        const auto settled = ports_.schedules.settle_waiting(ports_.time.now(), settings_.batch, decide_waiting);
        if (!settled) return tl::unexpected{settled.error()};
        return {};
    }

    /// What others may have changed, and what has waited too long.
    Result<void> learn() {
        const auto expired = ports_.runs.expire(ports_.time.now(), settings_.batch);
        if (!expired) return tl::unexpected{expired.error()};
        for (const auto& run : *expired) leave_out(run);
        const auto pending = ports_.runs.count_pending();
        if (!pending) return tl::unexpected{pending.error()};
        queue_full_ = *pending >= settings_.max_pending;
        const std::lock_guard lock{mutex_};
        status_.pending = *pending;
        return {};
    }

    Steady::time_point wake_at(bool working) {
        auto wait = std::chrono::duration_cast<Microseconds>(settings_.poll);
        if (working) {
            const auto now = ports_.time.now();
            const auto due = ports_.schedules.next_due();
            if (due && *due) {
                // What was due at the last look and is still there is another host's, or cannot be read: no reason to ask without a rest.
                const bool held = **due <= looked_at_;
                wait = std::min(wait, std::max<Microseconds>(**due - now, held ? kHeld : std::chrono::milliseconds{1}));
            }
            const auto pending = ports_.runs.next_pending();
            // One that is due waits for a worker, and the end of what that one does is a hint.
            if (pending && *pending && **pending > now) wait = std::min(wait, **pending - now);
        }
        return Steady::now() + wait;
    }

    void leave_out(const Run& row) {
        log_.left_out(row);
        const std::lock_guard lock{mutex_};
        status_.left_out[std::string{core::name_of(row.reason)}] += static_cast<std::uint64_t>(row.slots);
    }

    /// Runs that were claimed that long ago and have not started, back to everybody. If that fails their lease ends soon.
    void give_back(std::chrono::milliseconds waiting) {
        const auto ids = pool_.take_unstarted(waiting);
        const auto host = lease_.host();
        ends_.unexpect(ids);
        if (!ids.empty() && host) (void)ports_.runs.give_back(host->host_id, host->epoch, ids);
    }

    const config::HostConfig::Jobs settings_;
    Ports ports_;
    DispatchLog log_;
    StoreHealth health_;
    HostLease lease_;
    RunEnds ends_;
    EventEar ear_;

    // The dispatch thread's:
    QueueLimits limits_;
    Instant looked_at_{};  ///< what was due by then has been taken
    bool queue_full_ = false;
    bool zones_followed_ = false;
    bool settle_soon_ = true;  ///< a run is over, or somebody changed something
    bool backlog_ = true;      ///< pending rows may wait that are older, or more urgent, than what is due now

    // Everybody's, under mutex_:
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool hinted_ = false;
    DispatcherStatus status_;

    WorkerPool pool_;  // before the others are gone its threads are
    std::thread thread_;
};

Dispatcher::Dispatcher(config::HostConfig::Jobs settings, Ports ports, bool alone)
    : impl_{std::make_unique<Impl>(std::move(settings), ports, alone)} {}
Dispatcher::~Dispatcher() = default;
void Dispatcher::start() { impl_->start(); }
void Dispatcher::stop() { impl_->stop(); }
void Dispatcher::hint() { impl_->hint(); }
void Dispatcher::events_stored(const std::vector<std::string>& categories) { impl_->events_stored(categories); }
DispatcherStatus Dispatcher::status() const { return impl_->status(); }

}  // namespace varde::schedule
