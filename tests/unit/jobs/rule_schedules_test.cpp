#include "jobs/rule_schedules.hpp"

#include "fakes/log_sink.hpp"
#include "fakes/run_repository.hpp"
#include "fakes/schedule_repository.hpp"
#include "jobs/rule_evaluation_job.hpp"
#include "schedule/job_kinds.hpp"
#include "schedule/schedule_desk.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;

namespace {

config::RulesConfig rules_of(const std::string& rules) {
    auto config = config::parse_rules("rules: " + rules, "rules.yaml");
    REQUIRE_MESSAGE(config.has_value(), config.error().context);
    return std::move(*config);
}

class Kind final : public ports::JobKind {
  public:
    [[nodiscard]] std::string_view name() const override { return "rule_evaluation"; }
    [[nodiscard]] std::string_view summary() const override { return "runs rules"; }
    [[nodiscard]] core::Result<void> check(const std::string&) const override { return {}; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall&) override { return {}; }
};

struct Fixture {
    fakes::ScheduleRepository schedules;
    fakes::RunRepository runs{schedules};
    fakes::LogSink log;
    time::ManualClock clock{core::Instant{1'800'000'000s}};
    Kind kind;
    schedule::JobKinds kinds;
    schedule::ScheduleDesk desk{{schedules, runs, kinds, clock, log}};
    jobs::RuleSchedules rules{{desk, schedules, runs, clock, log}};

    Fixture() { kinds.add(kind); }
    [[nodiscard]] std::vector<std::string> ids() {
        ports::ScheduleQuery query;
        query.limit = 100;
        std::vector<std::string> found;
        const auto stored = schedules.list(query).value();
        for (const auto& schedule : stored) found.push_back(schedule.schedule_id);
        std::ranges::sort(found);
        return found;
    }
};

}  // namespace

TEST_CASE("rules.yaml asks for one schedule at the interval, and one for each enabled rule with a schedule of its own") {
    const auto wanted =
        jobs::rule_schedules(rules_of("{R-1: {enabled_in_scheduler: true}, "
                                      "R-2: {enabled_in_scheduler: true, schedule: {cron: '0 7 * * *', timezone: Europe/Oslo}}, "
                                      "R-3: {enabled_in_scheduler: true, schedule: {event: door, debounce: 200ms}}, "
                                      "R-4: {schedule: {every: 30s}}}"),
                             15min);
    REQUIRE(wanted.size() == 3);
    CHECK(wanted[0].schedule_id == "rules");
    CHECK(wanted[0].trigger.period == 15min);
    CHECK(wanted[0].params == R"({"without_scheduled":true})");
    CHECK(wanted[1].schedule_id == "rules:R-2");
    CHECK(wanted[1].trigger.expression == "0 7 * * *");
    CHECK(wanted[1].params == R"({"rules":["R-2"]})");
    CHECK(wanted[1].policy.overlap == core::Overlap::skip);
    CHECK(wanted[2].trigger.event.category == "door");
    CHECK(wanted[2].policy.overlap == core::Overlap::queue_one);
    for (const auto& schedule : wanted) {
        CHECK(schedule.org_id.empty());
        CHECK(schedule.source == "config");
        CHECK(schedule.kind == "rule_evaluation");
    }
}

TEST_CASE("the schedules follow rules.yaml, the host asks for a run at its start only, and what is the same is not written") {
    Fixture f;
    REQUIRE(f.rules.arrange(rules_of("{R-1: {enabled_in_scheduler: true, schedule: {every: 30s}}}"), 60s));
    CHECK(f.ids() == std::vector<std::string>{"rules", "rules:R-1"});
    CHECK(f.log.count("run_requested") == 1);
    const auto written = f.log.count("schedule_changed");
    REQUIRE(f.rules.arrange(rules_of("{R-1: {enabled_in_scheduler: true, schedule: {every: 30s}}}"), 60s));
    CHECK(f.log.count("schedule_changed") == written);
    REQUIRE(f.rules.arrange(rules_of("{R-1: {enabled_in_scheduler: true}}"), 120s));
    CHECK(f.ids() == std::vector<std::string>{"rules"});
    CHECK(f.schedules.find("rules", "").value().trigger.period == 120s);
    CHECK(f.log.count("run_requested") == 1);
    REQUIRE(f.rules.clear());
    CHECK(f.ids().empty());
}

TEST_CASE("what rules.yaml says is changed there: others may pause it, and that stays so") {
    Fixture f;
    REQUIRE(f.rules.arrange(rules_of("{}"), 60s));
    const auto edit = f.desk.edit(
        "rules", "", [](const core::Schedule& current) -> core::Result<core::Schedule> { return current; }, "eve");
    CHECK(edit.error().code == core::Errc::conflict);
    CHECK(f.desk.remove("rules", "", true, true, "eve").error().code == core::Errc::conflict);
    CHECK(f.desk.act("rules", "", ports::ScheduleAction::pause, "eve").value().state == core::ScheduleState::paused);
    CHECK_FALSE(f.rules.newest().value().has_value());
    REQUIRE(f.rules.arrange(rules_of("{}"), 90s));
    CHECK(f.schedules.find("rules", "").value().state == core::ScheduleState::paused);
    CHECK(f.schedules.find("rules", "").value().trigger.period == 90s);
}

TEST_CASE("a database that is away is asked again; an id that somebody else has is said, and costs no other schedule") {
    Fixture f;
    f.schedules.fail_with(core::Errc::database_unavailable);
    CHECK_FALSE(f.rules.arrange(rules_of("{}"), 60s));
    CHECK(f.rules.newest().error().code == core::Errc::database_unavailable);
    f.schedules.fail_with(std::nullopt);
    core::Schedule other;
    other.schedule_id = "rules";
    other.kind = "rule_evaluation";
    other.source = "api";
    REQUIRE(f.schedules.create(other).has_value());
    CHECK(f.rules.arrange(rules_of("{R-1: {enabled_in_scheduler: true, schedule: {every: 30s}}}"), 60s));
    CHECK(f.log.count("rules_not_scheduled") == 1);
    CHECK(f.ids() == std::vector<std::string>{"rules", "rules:R-1"});
    CHECK(f.rules.newest().error().code == core::Errc::not_found);
}

TEST_CASE("the newest run of the interval is known with its counts and its age, whoever made it") {
    Fixture f;
    REQUIRE(f.rules.arrange(rules_of("{}"), 60s));
    CHECK(f.rules.newest().error().code == core::Errc::not_found);
    core::Run run;
    run.schedule_id = "rules";
    run.state = core::RunState::success;
    run.started_at = f.clock.now() - 7s;
    run.finished_at = f.clock.now() - 5s;
    run.result = R"({"run_id":"r-1","scopes":3,"evaluations":12,"rules_total":12,"rules_ok":11,"rules_failed":1})";
    const auto id = f.runs.put(run);
    const auto linked = f.schedules.edit(
        "rules", "", [&](const core::Schedule& current, const auto&) -> core::Result<ports::ScheduleRepository::Edited> {
            ports::ScheduleRepository::Edited edited;
            edited.schedule = current;
            edited.schedule.last_run_id = id;
            return edited;
        });
    REQUIRE(linked.has_value());
    const auto known = f.rules.newest().value().value();
    CHECK(known.age == 7s);
    CHECK(known.is_over);
    CHECK(known.summary.run_id == "r-1");
    CHECK(known.summary.counts.rules_failed == 1);
    CHECK(known.summary.error.empty());
}
