#include "schedule/worker_pool.hpp"

#include <doctest/doctest.h>
#include <condition_variable>
#include <mutex>
#include <set>
#include <vector>

using namespace varde;
using namespace std::chrono_literals;
using core::RunState;

namespace {

/// A job that waits until it is let go, or stopped, or neither.
class GatedJob final : public ports::JobKind {
  public:
    [[nodiscard]] std::string_view name() const override { return "gated"; }
    [[nodiscard]] std::string_view summary() const override { return "for tests"; }
    [[nodiscard]] core::Result<void> check(const std::string&) const override { return {}; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override {
        std::unique_lock lock{mutex};
        entered.push_back(call.slot_key + " " + call.fence + " " + call.params);
        most = std::max(most, ++inside);
        changed.notify_all();
        if (deaf) {
            changed.wait(lock, [this] { return open; });
        } else {
            (void)changed.wait(lock, call.stop, [this] { return open; });
        }
        --inside;
        if (call.stop.stop_requested()) return {false, "stopped", {}, true};
        return {true, {}, R"({"seen":true})", true};
    }
    void await(std::size_t number) {
        std::unique_lock lock{mutex};
        REQUIRE(changed.wait_for(lock, 30s, [&] { return entered.size() >= number; }));
    }
    void let_go() {
        const std::lock_guard lock{mutex};
        open = true;
        changed.notify_all();
    }

    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<std::string> entered;
    int inside = 0;
    int most = 0;
    bool open = false;
    bool deaf = false;
};

struct Pool {
    explicit Pool(int workers) {
        kinds.add(job);
        pool = std::make_unique<schedule::WorkerPool>(workers, kinds, clock, [this](ports::FinishedRun end) {
            const std::lock_guard lock{mutex};
            ends.push_back(std::move(end));
            changed.notify_all();
        });
    }
    ~Pool() {
        job.let_go();
        pool->stop(30s, 0ms);  // nobody is in the job any more when it goes
    }

    void submit(std::int64_t id, core::Microseconds timeout = 1h, std::string kind = "gated") {
        ports::ClaimedRun claimed;
        claimed.run.run_id = id;
        claimed.run.schedule_id = "s";
        claimed.run.attempt = 1;
        claimed.run.epoch = 3;
        claimed.run.queue = "q";
        claimed.run.input = R"({"b":2})";
        claimed.schedule.kind = std::move(kind);
        claimed.schedule.params = R"({"a":1,"b":1})";
        claimed.schedule.policy.run_timeout = timeout;
        pool->submit(std::move(claimed));
    }
    std::vector<ports::FinishedRun> await(std::size_t number) {
        std::unique_lock lock{mutex};
        REQUIRE(changed.wait_for(lock, 30s, [&] { return ends.size() >= number; }));
        return ends;
    }

    GatedJob job;
    schedule::JobKinds kinds;
    time::ManualClock clock{core::instant_from_us(1'000'000)};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<ports::FinishedRun> ends;
    std::unique_ptr<schedule::WorkerPool> pool;
};

}  // namespace

TEST_CASE("never more runs at once than there are workers; the others wait their turn") {
    Pool p{2};
    CHECK(p.pool->free() == 2);
    for (int id = 1; id <= 5; ++id) p.submit(id);
    p.job.await(2);
    CHECK(p.pool->free() == 0);
    CHECK(p.pool->by_queue().at("q") == 5);
    p.job.let_go();
    const auto ends = p.await(5);
    std::set<std::int64_t> ids;
    for (const auto& end : ends) {
        ids.insert(end.run_id);
        CHECK(end.state == RunState::success);
        CHECK(end.result == R"({"seen":true})");
    }
    CHECK(ids.size() == 5);
    CHECK(p.job.most == 2);
}

TEST_CASE("a pool whose runs are short takes more than it has workers; what waits too long is given back, the oldest first") {
    Pool p{2};
    p.job.open = true;
    for (int id = 1; id <= 200; ++id) p.submit(id);
    (void)p.await(200);
    CHECK(p.pool->free() > 2);
    CHECK(p.pool->free() <= 2 + schedule::WorkerPool::kMostAhead);
    {
        const std::lock_guard lock{p.job.mutex};
        p.job.open = false;
        p.job.entered.clear();
    }
    for (int id = 201; id <= 204; ++id) p.submit(id);
    p.job.await(2);
    CHECK(p.pool->take_unstarted(1h).empty());
    CHECK(p.pool->take_unstarted() == std::vector<std::int64_t>{203, 204});
}

TEST_CASE("a job is told its slot's key, its fence, and its params with the run's input over them") {
    Pool p{1};
    p.submit(1);
    p.job.await(1);
    CHECK(p.job.entered.front() == R"(s/1/1970-01-01T00:00:00Z/scheduled 1.3 {"a":1,"b":2})");
}

TEST_CASE("a run that is cancelled stops; one that waits for a worker never starts") {
    Pool p{1};
    p.submit(1);
    p.submit(2);
    p.job.await(1);
    p.pool->cancel(2);
    p.pool->cancel(1);
    p.pool->cancel(99);
    const auto ends = p.await(2);
    for (const auto& end : ends) CHECK(end.state == RunState::cancelled);
    CHECK(p.job.entered.size() == 1);
}

TEST_CASE("a job that does not stop at its run_timeout is told of at once, and another thread takes its place") {
    Pool p{1};
    p.job.deaf = true;
    p.submit(1, 1ms);
    const auto late = p.await(1);
    CHECK(late.front().state == RunState::timed_out);
    CHECK(p.pool->stuck() == 1);
    CHECK(p.pool->free() == 1);
    p.submit(2);
    p.job.await(2);  // on the other thread
    p.job.let_go();
    CHECK(p.await(2).back().run_id == 2);
    CHECK(p.await(2).size() == 2);  // what the first one answers now is dropped
}

TEST_CASE("a kind that this host does not know fails with its name, and may be tried again elsewhere") {
    Pool p{1};
    p.submit(1, 1h, "teleport");
    const auto ends = p.await(1);
    CHECK(ends.front().state == RunState::failed);
    CHECK(ends.front().error == "this host does not know the job kind 'teleport'");
    CHECK(ends.front().reason == core::SlotReason::no_job_kind);
}

TEST_CASE("when leases are lost runs are asked to stop and no end is told") {
    Pool p{1};
    p.submit(1);
    p.submit(2);
    p.job.await(1);
    p.pool->abandon();
    p.pool->stop(0ms, 30s);
    CHECK(p.ends.empty());
}

TEST_CASE("stopping gives back what was not started, and asks the rest to stop after a while") {
    Pool p{1};
    p.submit(1);
    p.submit(2);
    p.job.await(1);
    CHECK(p.pool->take_unstarted() == std::vector<std::int64_t>{2});
    p.pool->stop(0ms, 30s);
    REQUIRE(p.ends.size() == 1);
    CHECK(p.ends.front().state == RunState::cancelled);
    CHECK(p.ends.front().reason == core::SlotReason::stopping);
}

TEST_CASE("no end is told any more when the pool has stopped: one that is being told is waited for") {
    GatedJob job;
    schedule::JobKinds kinds;
    kinds.add(job);
    job.open = true;
    const time::ManualClock clock{core::instant_from_us(1'000'000)};
    std::mutex mutex;
    std::condition_variable changed;
    bool telling = false, stopped = false, stopped_too_early = false, told = false;
    schedule::WorkerPool pool{1, kinds, clock, [&](ports::FinishedRun) {
                                  std::unique_lock lock{mutex};
                                  telling = true;
                                  changed.notify_all();
                                  stopped_too_early = changed.wait_for(lock, 200ms, [&] { return stopped; });
                                  told = true;
                                  changed.notify_all();
                              }};
    ports::ClaimedRun claimed;
    claimed.run.run_id = 1;
    claimed.schedule.kind = "gated";
    pool.submit(std::move(claimed));
    {
        std::unique_lock lock{mutex};
        REQUIRE(changed.wait_for(lock, 30s, [&] { return telling; }));
    }
    pool.stop(0ms, 0ms);
    std::unique_lock lock{mutex};
    stopped = true;
    changed.notify_all();
    REQUIRE(changed.wait_for(lock, 30s, [&] { return told; }));
    CHECK_FALSE(stopped_too_early);
}
