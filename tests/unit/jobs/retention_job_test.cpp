#include "jobs/retention_job.hpp"

#include "fakes/decision_repository.hpp"
#include "fakes/deviation_repository.hpp"
#include "fakes/event_log.hpp"
#include "time/utc_text.hpp"
#include "unit/jobs/job_call.hpp"

#include <doctest/doctest.h>
#include <functional>

using namespace varde;
using std::chrono::days;

namespace {

const core::Instant now = time::parse_utc("2026-06-30T12:00:00Z").value();

/// Knows only how to clean up: so many finished runs, all old.
class FinishedRuns final : public ports::RunRepository {
  public:
    std::int64_t rows = 0;
    std::vector<core::Instant> asked;
    std::function<void()> after_batch = [] {};
    core::Result<std::int64_t> cleanup(core::Instant before, const std::string& org_id, std::int64_t limit) override {
        CHECK(org_id.empty());
        asked.push_back(before);
        const auto gone = std::min(rows, limit);
        rows -= gone;
        after_batch();
        return gone;
    }

    core::Result<std::optional<core::Instant>> database_now() override { return std::nullopt; }
    core::Result<ports::JobHost> register_host(const std::string&, const std::string&, core::Instant) override { return none(); }
    core::Result<void> forget_host(const std::string&) override { return none(); }
    core::Result<std::vector<ports::JobHost>> hosts() override { return none(); }
    core::Result<std::vector<ports::ClaimedRun>> claim(const ports::ClaimRequest&) override { return none(); }
    core::Result<std::optional<core::Instant>> next_pending() override { return none(); }
    core::Result<std::int64_t> count_pending() override { return none(); }
    core::Result<std::vector<std::int64_t>> finish(const std::string&, std::int64_t,
                                                   std::span<const ports::FinishedRun>) override {
        return none();
    }
    core::Result<void> give_back(const std::string&, std::int64_t, std::span<const std::int64_t>) override { return none(); }
    core::Result<ports::Renewal> renew(const std::string&, std::int64_t, core::Instant, core::Microseconds) override {
        return none();
    }
    core::Result<std::vector<core::Run>> reap(core::Instant, int, bool,
                                              const std::function<ports::FinishedRun(const ports::ClaimedRun&)>&) override {
        return none();
    }
    core::Result<std::vector<core::Run>> expire(core::Instant, int) override { return none(); }
    core::Result<Added> add(const std::string&, const std::string&, const std::string&, const Allow&) override { return none(); }
    core::Result<core::Run> cancel(std::int64_t, const std::string&, const std::string&, core::Instant) override {
        return none();
    }
    core::Result<core::Run> find(std::int64_t, const std::string&) override { return none(); }
    core::Result<std::vector<core::Run>> list(const ports::RunQuery&) override { return none(); }
    core::Result<Around> around(const std::string&, core::Instant) override { return none(); }
    core::Result<ports::RunStatistics> statistics(const ports::RunQuery&) override { return none(); }

  private:
    static tl::unexpected<core::Error> none() { return core::fail(core::Errc::database_failed, "not for this test"); }
};

struct House {
    fakes::EventLog events;
    fakes::DeviationRepository deviations;
    fakes::DecisionRepository decisions;
    FinishedRuns runs;
    time::ManualClock clock{now};
    core::Microseconds needed{0};
    jobs::RetentionJob job{{events, deviations, decisions, runs, clock, [this] { return needed; }}};
    testing::Call call;

    void add_events(int count, core::Instant time) {
        std::vector<core::Event> added(static_cast<std::size_t>(count));
        for (auto& event : added) {
            event.event_id = std::to_string(next_event++);
            event.time = time;
        }
        REQUIRE(events.append(added).has_value());
    }
    void add_deviation(core::DeviationStatus status, core::Instant last) {
        core::Deviation row;
        row.rule_id = "R-001";
        row.status = status;
        row.subject_key = std::to_string(deviations.rows().size());
        row.started_at = row.last_seen_at = last;
        if (status == core::DeviationStatus::closed) row.closed_at = last;
        deviations.put(row);
    }
    int next_event = 0;
};

std::string problem(const std::string& params) {
    House house;
    const auto checked = house.job.check(params);
    return checked ? "" : checked.error().context;
}

}  // namespace

TEST_CASE("what is older than its param says is deleted, and counted") {
    House house;
    house.add_events(3, now - days{31});
    house.add_events(2, now - days{30});
    house.add_deviation(core::DeviationStatus::closed, now - days{181});
    house.add_deviation(core::DeviationStatus::open, now - days{181});
    house.add_deviation(core::DeviationStatus::closed, now - days{180});
    core::Decision old;
    old.first_at = old.last_at = now - days{8};
    core::Decision recent;
    recent.first_at = recent.last_at = now - days{6};
    house.decisions.put(std::vector{old, recent});
    house.runs.rows = 5;

    const auto answer =
        house.job.run(house.call.with(R"({"events": "30d", "deviations": "180d", "decisions": "7d", "runs": "90d"})"));
    CHECK(answer.ok);
    CHECK(answer.result == R"({"events":3,"deviations":1,"decisions":1,"runs":5})");
    CHECK(house.events.stored().size() == 2);
    CHECK(house.deviations.rows().size() == 2);
    CHECK(house.decisions.rows().size() == 1);
    CHECK(house.runs.asked.front() == now - days{90});
    CHECK(house.job.run(house.call.with(R"({"events": "30d", "runs": "90d"})")).result == R"({"events":0,"runs":0})");
}

TEST_CASE("what has no param is not touched") {
    House house;
    house.add_events(3, now - days{1000});
    house.add_deviation(core::DeviationStatus::closed, now - days{1000});
    house.runs.rows = 1;
    CHECK(house.job.run(house.call.with(R"({"runs": "1d"})")).result == R"({"runs":1})");
    CHECK(house.events.stored().size() == 3);
    CHECK(house.deviations.rows().size() == 1);
}

TEST_CASE("events that a rule may still look at are kept, whatever the param says") {
    House house;
    house.needed = days{60};
    house.add_events(2, now - days{61});
    house.add_events(2, now - days{59});
    const auto answer = house.job.run(house.call.with(R"({"events": "30d"})"));
    CHECK(answer.result == R"({"events_kept":"60d","events":2})");
    CHECK(house.events.stored().size() == 2);
    CHECK(house.job.run(house.call.with(R"({"events": "60d"})")).result == R"({"events":0})");
}

TEST_CASE("many rows are deleted in batches, and a stop is heeded between them") {
    House house;
    house.runs.rows = 1'250;
    house.runs.after_batch = [&] {
        if (house.runs.asked.size() == 2) house.call.source.request_stop();
    };
    const auto answer = house.job.run(house.call.with(R"({"runs": "90d"})"));
    CHECK_FALSE(answer.ok);
    CHECK(answer.error == "stopped while deleting runs");
    CHECK(answer.result == R"({"runs":1000})");
    CHECK(house.runs.rows == 250);
}

TEST_CASE("a database that fails ends the attempt; another may succeed") {
    House house;
    house.runs.rows = 1;
    house.add_events(3, now - days{31});
    house.deviations.fail_with(core::Errc::database_unavailable);
    const std::string params = R"({"events": "30d", "deviations": "180d", "runs": "90d"})";
    const auto answer = house.job.run(house.call.with(params));
    CHECK_FALSE(answer.ok);
    CHECK(answer.retry);
    CHECK(answer.error == "fake deviations: prune");
    CHECK(answer.result == R"({"events":2})");  // the newest event stays
    house.deviations.fail_with(std::nullopt);
    CHECK(house.job.run(house.call.with(params)).result == R"({"events":0,"deviations":0,"runs":1})");
}

TEST_CASE("retention params that cannot be used are named when the schedule is made") {
    CHECK(problem(R"({"events": "30d"})").empty());
    CHECK(problem("{}").starts_with("params: must say what to delete"));
    CHECK(problem("[]") == "params: must be an object");
    CHECK(problem("nonsense") == "params: must be an object");
    CHECK(problem(R"({"events": "30"})").starts_with("params.events: '30' is no duration"));
    CHECK(problem(R"({"events": "23h"})").starts_with("params.events: must be from 1d to "));
    CHECK(problem(R"({"evnts": "30d"})") == "params.evnts: unknown key; did you mean 'events'?");
}
