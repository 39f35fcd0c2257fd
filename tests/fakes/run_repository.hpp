#pragma once
#include "fakes/schedule_repository.hpp"
#include "ports/run_repository.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace varde::fakes {

/// A RunRepository in memory, for those who ask for runs and read their history: nobody claims any. Thread-safe.
class RunRepository final : public ports::RunRepository {
  public:
    explicit RunRepository(ports::ScheduleRepository& schedules) : schedules_{schedules} {}

    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// As if it had come from a host. The id is given by the repository.
    std::int64_t put(core::Run run) {
        const std::lock_guard lock{mutex_};
        run.run_id = std::ssize(runs_) + 1;
        runs_.push_back(run);
        return run.run_id;
    }
    void put(const ports::JobHost& host) {
        const std::lock_guard lock{mutex_};
        hosts_.push_back(host);
    }
    /// The query of the last list() or statistics().
    [[nodiscard]] ports::RunQuery asked() const {
        const std::lock_guard lock{mutex_};
        return asked_;
    }

    [[nodiscard]] core::Result<std::vector<ports::JobHost>> hosts() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake runs: hosts");
        return hosts_;
    }
    [[nodiscard]] core::Result<Added> add(const std::string& schedule_id, const std::string& org_id,
                                          const std::string& idempotency_key, const Allow& allow) override {
        const auto schedule = schedules_.find(schedule_id, org_id);
        if (!schedule) return tl::unexpected{schedule.error()};
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake runs: add");
        int live = 0;
        int queued = 0;
        for (const auto& run : runs_) {
            if (run.schedule_id != schedule_id) continue;
            if (!idempotency_key.empty() && run.idempotency_key == idempotency_key) return Added{run, false};
            live += core::is_terminal(run.state) ? 0 : 1;
            queued += run.state < core::RunState::running ? 1 : 0;
        }
        auto run = allow(*schedule, live, queued);
        if (!run) return tl::unexpected{run.error()};
        run->run_id = std::ssize(runs_) + 1;
        run->schedule_id = schedule_id;
        run->org_id = schedule->org_id;
        runs_.push_back(*run);
        return Added{*run, true};
    }
    [[nodiscard]] core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id, const std::string& /*by*/,
                                                 core::Instant now) override {
        const std::lock_guard lock{mutex_};
        auto* const run = visible(run_id, org_id);
        if (failure_ || run == nullptr) return absent();
        if (core::is_terminal(run->state)) return core::fail(core::Errc::conflict, "the run is over");
        if (run->state == core::RunState::running) {
            run->cancel_requested = true;
        } else {
            run->state = core::RunState::cancelled;
            run->reason = core::SlotReason::cancelled;
            run->finished_at = now;
        }
        return *run;
    }
    [[nodiscard]] core::Result<core::Run> find(std::int64_t run_id, const std::string& org_id) override {
        const std::lock_guard lock{mutex_};
        const auto* const run = visible(run_id, org_id);
        if (failure_ || run == nullptr) return absent();
        return *run;
    }
    [[nodiscard]] core::Result<std::vector<core::Run>> list(const ports::RunQuery& query) override {
        const std::lock_guard lock{mutex_};
        asked_ = query;
        if (failure_) return core::fail(*failure_, "fake runs: list");
        std::vector<core::Run> found;
        for (auto run = runs_.rbegin(); run != runs_.rend() && std::ssize(found) < query.limit; ++run) {
            if (wanted(*run, query) && (query.before == 0 || run->run_id < query.before)) found.push_back(*run);
        }
        return found;
    }
    [[nodiscard]] core::Result<Around> around(const std::string& schedule_id, core::Instant at) override {
        const std::lock_guard lock{mutex_};
        Around found;
        for (const auto& run : runs_) {
            if (run.schedule_id == schedule_id) (run.nominal_at <= at ? found.at_or_before : found.after) = run;
        }
        return found;
    }
    /// Counts; durations are left out.
    [[nodiscard]] core::Result<ports::RunStatistics> statistics(const ports::RunQuery& query) override {
        const std::lock_guard lock{mutex_};
        asked_ = query;
        if (failure_) return core::fail(*failure_, "fake runs: statistics");
        ports::RunStatistics counted;
        for (const auto& run : runs_) {
            if (!wanted(run, query)) continue;
            ++counted.total;
            ++counted.by_state[run.state];
            counted.skipped_slots += run.state == core::RunState::skipped ? run.slots : 0;
        }
        if (counted.total > 0) {
            counted.success_rate =
                100.0 * static_cast<double>(counted.by_state[core::RunState::success]) / static_cast<double>(counted.total);
        }
        return counted;
    }
    core::Result<std::int64_t> cleanup(core::Instant before, const std::string& org_id, std::int64_t limit) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake runs: cleanup");
        std::int64_t left = limit;
        std::erase_if(runs_, [&](const core::Run& run) {
            const bool old = core::is_terminal(run.state) && run.finished_at && *run.finished_at < before;
            return old && (org_id.empty() || run.org_id == org_id) && left-- > 0;
        });
        return limit - std::max<std::int64_t>(left, 0);
    }

    // What only who carries runs out calls.
    [[nodiscard]] core::Result<std::optional<core::Instant>> database_now() override { return std::nullopt; }
    [[nodiscard]] core::Result<ports::JobHost> register_host(const std::string&, const std::string&, core::Instant) override {
        return ports::JobHost{};
    }
    core::Result<void> forget_host(const std::string&) override { return {}; }
    [[nodiscard]] core::Result<std::vector<ports::ClaimedRun>> claim(const ports::ClaimRequest&) override {
        return std::vector<ports::ClaimedRun>{};
    }
    [[nodiscard]] core::Result<std::optional<core::Instant>> next_pending() override { return std::nullopt; }
    [[nodiscard]] core::Result<std::int64_t> count_pending() override { return 0; }
    [[nodiscard]] core::Result<std::vector<std::int64_t>> finish(const std::string&, std::int64_t,
                                                                 std::span<const ports::FinishedRun>) override {
        return std::vector<std::int64_t>{};
    }
    core::Result<void> give_back(const std::string&, std::int64_t, std::span<const std::int64_t>) override { return {}; }
    [[nodiscard]] core::Result<ports::Renewal> renew(const std::string&, std::int64_t, core::Instant,
                                                     core::Microseconds) override {
        return ports::Renewal{};
    }
    core::Result<std::vector<core::Run>> reap(core::Instant, int, bool,
                                              const std::function<ports::FinishedRun(const ports::ClaimedRun&)>&) override {
        return std::vector<core::Run>{};
    }
    core::Result<std::vector<core::Run>> expire(core::Instant, int) override { return std::vector<core::Run>{}; }

  private:
    [[nodiscard]] tl::unexpected<core::Error> absent() const {
        return core::fail(failure_.value_or(core::Errc::not_found), "there is no such run");
    }
    core::Run* visible(std::int64_t run_id, const std::string& org_id) {
        const auto found = std::ranges::find(runs_, run_id, &core::Run::run_id);
        return found == runs_.end() || (!org_id.empty() && found->org_id != org_id) ? nullptr : &*found;
    }
    static bool wanted(const core::Run& run, const ports::RunQuery& query) {
        return (query.org_id.empty() || query.org_id == run.org_id) &&
               (!query.schedule_id || *query.schedule_id == run.schedule_id) &&
               (!query.job_kind || *query.job_kind == run.job_kind) && (!query.reason || *query.reason == run.reason) &&
               (!query.kind || *query.kind == run.kind) && (!query.since || run.nominal_at >= *query.since) &&
               (!query.until || run.nominal_at < *query.until) &&
               (query.states.empty() || std::ranges::find(query.states, run.state) != query.states.end());
    }

    ports::ScheduleRepository& schedules_;
    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::vector<core::Run> runs_;
    std::vector<ports::JobHost> hosts_;
    ports::RunQuery asked_;
};

}  // namespace varde::fakes
