#include "schedule/worker_pool.hpp"

#include "schedule/fault_point.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::schedule {
namespace {

using Steady = std::chrono::steady_clock;

std::string merged(const std::string& params, const std::string& input) {
    if (input.empty()) return params;
    auto all = nlohmann::json::parse(params, nullptr, false);
    all.merge_patch(nlohmann::json::parse(input, nullptr, false));
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ports::JobAnswer carry_out(ports::JobKind* kind, const ports::ClaimedRun& claimed, const std::stop_token& stop) {
    if (kind == nullptr) {
        return {false, fmt::format("this host does not know the job kind '{}'", claimed.schedule.kind), {}, true};
    }
    const auto& run = claimed.run;
    try {
        return kind->run({run, claimed.schedule, merged(claimed.schedule.params, run.input),
                          fmt::format("{}/{}/{}/{}", run.schedule_id, run.generation, time::format_utc(run.nominal_at),
                                      core::name_of(run.kind)),
                          fmt::format("{}.{}", run.attempt, run.epoch), stop});
    } catch (const std::exception& error) {
        return {false, error.what(), {}, true};
    } catch (...) {
        return {false, "the job threw something that is no std::exception", {}, true};
    }
}

}  // namespace

struct WorkerPool::State {
    /// One attempt in progress.
    struct Attempt {
        ports::ClaimedRun claimed;
        core::Instant started_at;
        Steady::time_point begun;
        Steady::time_point deadline;
        std::stop_source stop;
        std::optional<Stopped> stopped;
        bool unknown_kind = false;
        bool told = false;      ///< its end was told, or is not to be told
        bool given_up = false;  ///< it is past its deadline
        bool replaced = false;  ///< another thread has taken the place of its own
    };

    State(int wanted, const JobKinds& known, const time::Clock& time, std::function<void(ports::FinishedRun)> tell)
        : workers{wanted}, kinds{known}, clock{time}, ended_fn{std::move(tell)} {}

    const int workers;
    const JobKinds& kinds;
    const time::Clock& clock;
    const std::function<void(ports::FinishedRun)> ended_fn;

    mutable std::mutex mutex;
    std::condition_variable work;     // for workers
    std::condition_variable changed;  // for the watch, and stop()
    struct Queued {
        ports::ClaimedRun claimed;
        Steady::time_point since;
    };
    std::deque<Queued> queue;
    double usual_s = 1;                                         ///< how long an attempt takes, the newest ones weighing most
    std::map<std::int64_t, std::shared_ptr<Attempt>> attempts;  // by run id
    int stuck = 0;
    int threads = 0;
    int telling = 0;  ///< threads that are in ended_fn
    bool stopping = false;
    std::thread watch;

    static void start_worker(const std::shared_ptr<State>& state) {
        ++state->threads;
        // Detached, because a job that never returns must not hold up the end of the host; the state lives as long as a thread uses it.
        std::thread{[state] { state->serve(); }}.detach();
    }

    std::shared_ptr<Attempt> begin(ports::ClaimedRun claimed) {
        auto attempt = std::make_shared<Attempt>();
        attempt->claimed = std::move(claimed);
        attempt->started_at = clock.now();
        attempt->begun = Steady::now();
        attempt->deadline = attempt->begun + attempt->claimed.schedule.policy.run_timeout;
        attempts[attempt->claimed.run.run_id] = attempt;
        return attempt;
    }

    /// Tells the end, once. With the lock held, which is let go meanwhile.
    void tell(std::unique_lock<std::mutex>& lock, Attempt& attempt, const std::optional<ports::JobAnswer>& answer) {
        if (std::exchange(attempt.told, true)) return;
        auto end = ended(attempt.claimed, answer, attempt.stopped, attempt.started_at, clock.now());
        if (attempt.unknown_kind && !attempt.stopped) end.reason = core::SlotReason::no_job_kind;
        ++telling;
        lock.unlock();
        ended_fn(std::move(end));
        lock.lock();
        --telling;
        changed.notify_all();
    }

    void forget(const std::shared_ptr<Attempt>& attempt) {
        const auto found = attempts.find(attempt->claimed.run.run_id);
        if (found != attempts.end() && found->second == attempt) attempts.erase(found);
        changed.notify_all();
    }

    void serve() {
        std::unique_lock lock{mutex};
        while (true) {
            work.wait(lock, [this] { return stopping || !queue.empty(); });
            if (queue.empty()) break;
            const auto attempt = begin(std::move(queue.front().claimed));
            queue.pop_front();
            changed.notify_all();
            lock.unlock();
            fault_point("started");
            auto* const kind = kinds.find(attempt->claimed.schedule.kind);
            attempt->unknown_kind = kind == nullptr;
            const auto answer = carry_out(kind, attempt->claimed, attempt->stop.get_token());
            fault_point("worked");
            const auto took = std::chrono::duration<double>(Steady::now() - attempt->begun).count();
            lock.lock();
            usual_s += (took - usual_s) / 16;
            tell(lock, *attempt, answer);
            forget(attempt);
            if (attempt->given_up) --stuck;
            if (attempt->replaced) break;
        }
        --threads;
        changed.notify_all();
    }

    /// Ends attempts that take too long.
    void watch_deadlines(const std::shared_ptr<State>& self) {
        std::unique_lock lock{mutex};
        while (!stopping || !attempts.empty()) {
            auto next = Steady::time_point::max();
            std::vector<std::shared_ptr<Attempt>> late;
            const auto now = Steady::now();
            for (const auto& [id, attempt] : attempts) {
                if (attempt->told) continue;
                if (attempt->deadline <= now) {
                    late.push_back(attempt);
                } else {
                    next = std::min(next, attempt->deadline);
                }
            }
            for (const auto& attempt : late) {
                attempt->stopped = Stopped::timed_out;
                attempt->given_up = true;
                attempt->replaced = stuck++ < workers;
                if (attempt->replaced) start_worker(self);
                attempt->stop.request_stop();
                tell(lock, *attempt, std::nullopt);
            }
            if (!late.empty()) continue;
            if (next == Steady::time_point::max()) {
                changed.wait(lock);
            } else {
                changed.wait_until(lock, next);
            }
        }
    }
};

WorkerPool::WorkerPool(int workers, const JobKinds& kinds, const time::Clock& clock,
                       std::function<void(ports::FinishedRun)> ended)
    : state_{std::make_shared<State>(workers, kinds, clock, std::move(ended))} {
    const std::lock_guard lock{state_->mutex};
    for (int i = 0; i < workers; ++i) State::start_worker(state_);
    state_->watch = std::thread{[state = state_] { state->watch_deadlines(state); }};
}

WorkerPool::~WorkerPool() { stop(std::chrono::milliseconds{0}, std::chrono::milliseconds{0}); }

void WorkerPool::submit(ports::ClaimedRun run) {
    {
        const std::lock_guard lock{state_->mutex};
        state_->queue.push_back({std::move(run), Steady::now()});
    }
    state_->work.notify_one();
}

int WorkerPool::free() const {
    const std::lock_guard lock{state_->mutex};
    const auto held = static_cast<int>(state_->queue.size() + state_->attempts.size()) - std::min(state_->stuck, state_->workers);
    // Only workers that are not at something long have time for more.
    const auto recently = Steady::now() - kAhead;
    const auto busy = std::ranges::count_if(state_->attempts, [&](const auto& one) { return one.second->begun < recently; });
    const auto quick = static_cast<double>(std::max<std::ptrdiff_t>(0, state_->workers - busy));
    const auto ahead = quick * std::chrono::duration<double>(kAhead).count() / std::max(state_->usual_s, 1e-6);
    return std::max(0, state_->workers + static_cast<int>(std::min<double>(kMostAhead, ahead)) - held);
}

std::map<std::string, int, std::less<>> WorkerPool::by_queue() const {
    const std::lock_guard lock{state_->mutex};
    std::map<std::string, int, std::less<>> counts;
    for (const auto& queued : state_->queue) ++counts[queued.claimed.run.queue];
    for (const auto& [id, attempt] : state_->attempts) ++counts[attempt->claimed.run.queue];
    return counts;
}

int WorkerPool::busy() const {
    const std::lock_guard lock{state_->mutex};
    return static_cast<int>(state_->attempts.size());
}

int WorkerPool::stuck() const {
    const std::lock_guard lock{state_->mutex};
    return state_->stuck;
}

void WorkerPool::cancel(std::int64_t run_id) {
    std::unique_lock lock{state_->mutex};
    if (const auto found = state_->attempts.find(run_id); found != state_->attempts.end()) {
        if (!found->second->stopped) found->second->stopped = Stopped::cancelled;
        found->second->stop.request_stop();
        return;
    }
    const auto queued = std::ranges::find(state_->queue, run_id, [](const auto& one) { return one.claimed.run.run_id; });
    if (queued == state_->queue.end()) return;
    State::Attempt never;
    never.claimed = std::move(queued->claimed);
    never.started_at = state_->clock.now();
    never.stopped = Stopped::cancelled;
    state_->queue.erase(queued);
    state_->tell(lock, never, std::nullopt);
}

void WorkerPool::abandon() {
    const std::lock_guard lock{state_->mutex};
    state_->queue.clear();
    for (auto& [id, attempt] : state_->attempts) {
        attempt->told = true;
        attempt->stop.request_stop();
    }
}

std::vector<std::int64_t> WorkerPool::take_unstarted(std::chrono::milliseconds waiting) {
    const auto before = Steady::now() - waiting;
    const std::lock_guard lock{state_->mutex};
    std::vector<std::int64_t> ids;
    while (!state_->queue.empty() && state_->queue.front().since <= before) {
        ids.push_back(state_->queue.front().claimed.run.run_id);
        state_->queue.pop_front();
    }
    return ids;
}

void WorkerPool::stop(std::chrono::milliseconds drain, std::chrono::milliseconds bound) {
    std::unique_lock lock{state_->mutex};
    if (std::exchange(state_->stopping, true)) return;
    state_->work.notify_all();
    const auto idle = [this] { return state_->attempts.empty() && state_->queue.empty(); };
    state_->changed.wait_for(lock, drain, idle);
    state_->queue.clear();
    for (auto& [id, attempt] : state_->attempts) {
        if (!attempt->stopped) attempt->stopped = Stopped::host_stopping;
        attempt->stop.request_stop();
    }
    state_->changed.wait_for(lock, bound, idle);
    // What does not return is told of as it is; its thread ends with the process.
    const auto left = state_->attempts;
    for (const auto& [id, attempt] : left) state_->tell(lock, *attempt, std::nullopt);
    const auto lost = static_cast<int>(left.size());
    state_->attempts.clear();
    state_->changed.notify_all();
    state_->changed.wait_for(lock, std::chrono::seconds{1}, [&] { return state_->threads <= lost; });
    // Nobody is told after this: what listens may be gone then, and an end that was told is one that will be stored.
    state_->changed.wait(lock, [this] { return state_->telling == 0; });
    auto watch = std::move(state_->watch);
    lock.unlock();
    if (watch.joinable()) watch.join();
}

}  // namespace varde::schedule
