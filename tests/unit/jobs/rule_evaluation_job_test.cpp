#include "jobs/rule_evaluation_job.hpp"

#include "fakes/run_control.hpp"
#include "fakes/run_repository.hpp"

#include <doctest/doctest.h>

using namespace varde;

namespace {

/// Takes the question and never answers.
class SilentRuns final : public ports::RunControl {
  public:
    void run(ports::RunWish, Ran done) override { kept = std::move(done); }
    void evaluate(const core::Scope&, core::Window, Evaluated) override {}
    void explain(const std::string&, const core::Scope&, std::optional<core::Instant>, Explained) override {}
    [[nodiscard]] std::optional<ports::RunSummary> last_run() const override { return std::nullopt; }
    [[nodiscard]] std::vector<ports::RuleState> rule_states() const override { return {}; }
    [[nodiscard]] bool scheduler_enabled() const override { return true; }
    Ran kept;
};

struct Call {
    core::Run run;
    core::Schedule schedule;
    std::stop_source source;
    ports::JobCall with(const std::string& params) { return {run, schedule, params, "s/1/0/manual", "1.1", source.get_token()}; }
};

}  // namespace

TEST_CASE("a run of some rules, or of all, and its counts are the result") {
    fakes::RunControl runs;
    ports::RunSummary summary;
    summary.run_id = "r1";
    summary.counts.rules_total = 3;
    summary.counts.deviations_upserted = 1;
    runs.answer_runs_with(summary);
    jobs::RuleEvaluationJob job{runs};
    Call call;
    const auto answer = job.run(call.with(R"({"rules":["R-001","R-008"]})"));
    CHECK(answer.ok);
    CHECK(answer.result ==
          R"({"run_id":"r1","scopes":0,"evaluations":0,"rules_total":3,"rules_ok":0,"rules_failed":0,"rules_gated":0,)"
          R"("deviations_upserted":1,"deviations_closed":0})");
    CHECK(job.run(call.with("{}")).ok);
    CHECK(job.run(call.with(R"({"without_scheduled":true})")).ok);
    CHECK(runs.ran() == std::vector<ports::RunWish>{{.rules = {"R-001", "R-008"}}, {}, {.rules = {}, .without_scheduled = true}});
}

TEST_CASE("a run that was not committed is a failure that may be tried again; an unknown rule is one that may not") {
    fakes::RunControl runs;
    jobs::RuleEvaluationJob job{runs};
    Call call;
    ports::RunSummary lost;
    lost.error = "the database is away";
    runs.answer_runs_with(lost);
    const auto failed = job.run(call.with("{}"));
    CHECK_FALSE(failed.ok);
    CHECK(failed.error == "the database is away");
    CHECK(failed.retry);
    runs.answer_runs_with(core::fail(core::Errc::not_found, "rules.yaml has no rule R-099"));
    const auto unknown = job.run(call.with(R"({"rules":["R-099"]})"));
    CHECK(unknown.error == "rules.yaml has no rule R-099");
    CHECK_FALSE(unknown.retry);
}

TEST_CASE("a stop ends the waiting, and the answer that comes later hurts nobody") {
    SilentRuns runs;
    jobs::RuleEvaluationJob job{runs};
    Call call;
    call.source.request_stop();
    CHECK(job.run(call.with("{}")).error == "stopped while it waited");
    runs.kept(ports::RunSummary{});
}

TEST_CASE("params of a rule evaluation are checked when the schedule is made") {
    SilentRuns runs;
    const jobs::RuleEvaluationJob job{runs};
    CHECK(job.check(R"({"rules":["R-001"]})").has_value());
    CHECK(job.check(R"({"rule":["R-001"]})").error().context == "params.rule: unknown key; did you mean 'rules'?");
    CHECK(job.check(R"({"rules":"R-001"})").error().context.starts_with("params.rules: must be a list"));
}

TEST_CASE("after runs of another host what is kept between runs is read again; after its own it is not") {
    fakes::ScheduleRepository schedules;
    fakes::RunRepository history{schedules};
    fakes::RunControl runs;
    jobs::RuleEvaluationJob job{runs, &history};
    Call call;
    call.run.owner = "here";
    const auto ran_at = [&](int second, const std::string& owner) {
        core::Run row;
        row.job_kind = "rule_evaluation";
        row.owner = owner;
        row.state = core::RunState::success;
        row.created_at = core::Instant{std::chrono::seconds{second}};
        row.started_at = row.finished_at = row.created_at;
        history.put(row);
    };
    const auto asked_again_at = [&](int second) {
        call.run.started_at = core::Instant{std::chrono::seconds{second}};
        CHECK(job.run(call.with("{}")).ok);
        ran_at(second, "here");
        return runs.ran().back().after_others;
    };
    CHECK(asked_again_at(10));  // nothing is known yet
    CHECK_FALSE(asked_again_at(20));
    ran_at(25, "there");
    CHECK(asked_again_at(30));
    CHECK_FALSE(asked_again_at(40));
    history.fail_with(core::Errc::database_unavailable);
    CHECK(asked_again_at(50));
}
