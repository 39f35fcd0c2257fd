#include "rules/scheduler.hpp"

#include "scheduler_fixture.hpp"

#include <atomic>

using namespace varde;
using core::Errc;
using namespace std::chrono_literals;
using Fixture = scripted::SchedulerFixture;

TEST_CASE("runs that are started by a schedule leave out rules with a time of their own, and only those") {
    Fixture f;
    f.folder.write(
        "rules: {R-001: {enabled_in_scheduler: true, schedule: {every: 1h}}, "
        "R-002: {enabled_in_scheduler: true, schedule: {event: door}}}");
    f.catalogue.holds({.plugins = {scripted::plugin("R-001"), scripted::plugin("R-002")}, .rejected = {}});
    f.evaluator.says("R-001", scripted::met());
    f.evaluator.says("R-002", scripted::met());
    std::vector<std::string> arranged;
    f.options.timer = rules::RunTimer{.arrange =
                                          [&](const config::RulesConfig& config, std::chrono::milliseconds) {
                                              arranged.push_back(std::to_string(config.rules.size()));
                                              return true;
                                          },
                                      .newest = [] { return std::nullopt; }};
    const auto scheduler = f.make();
    const auto counts_of = [&](ports::RunWish wish) {
        std::optional<ports::RunSummary> summary;
        scheduler->run(std::move(wish), [&](core::Result<ports::RunSummary> answer) { summary = answer.value(); });
        scheduler->step();
        return summary.value().counts.rules_total;
    };
    CHECK(counts_of({.rules = {}, .without_scheduled = true}) == 1);
    CHECK(counts_of({.rules = {"R-001"}}) == 1);
    CHECK(counts_of({}) == 2);
    CHECK(arranged == std::vector<std::string>{"2"});
}

TEST_CASE("a run that nobody starts in time is made all the same, and said to be late; one of another host is the last run") {
    Fixture f;
    f.options.interval = 1ms;
    f.evaluator.says("R-001", scripted::met());
    std::atomic<int> asked = 0;
    ports::KnownRun elsewhere;
    elsewhere.summary.run_id = "made elsewhere";
    f.options.timer = rules::RunTimer{.arrange = [](const auto&, auto) { return true; },
                                      .newest = [&]() -> core::Result<std::optional<ports::KnownRun>> {
                                          switch (++asked) {
                                              case 1: return elsewhere;
                                              case 2: return std::nullopt;  // paused
                                              default: return core::fail(Errc::database_unavailable, "away");
                                          }
                                      },
                                      .least_patience = 2ms};
    const auto scheduler = f.make();
    scheduler->start();
    CHECK(f.log.wait_for("scheduler_run_late"));
    CHECK(f.log.wait_for("scheduler_run_end"));
    scheduler->stop();
    CHECK(asked >= 3);
    CHECK(f.log.kept.entries()[2].event == "scheduler_run_late");  // after rule_loaded and scheduler_configured: no run before
    CHECK(scheduler->last_run()->counts.deviations_upserted == 1);
}
