#include "rules/scheduler.hpp"

#include "fakes/gate.hpp"
#include "scheduler_fixture.hpp"

using namespace varde;
using core::Errc;
using namespace std::chrono_literals;
using scripted::RulesFolder;
using Fixture = scripted::SchedulerFixture;

namespace {

/// Where an evaluate() callback puts its answer.
struct Answer {
    fakes::Gate arrived;
    std::optional<core::Result<std::vector<ports::RuleVerdict>>> value;
    ports::RunControl::Evaluated callback() {
        return [this](core::Result<std::vector<ports::RuleVerdict>> answer) {
            value = std::move(answer);
            arrived.pass();
        };
    }
};

}  // namespace

TEST_CASE("step makes exactly one run at the clock's now, on the calling thread, also if switched off") {
    Fixture f;
    f.options.enabled = false;
    f.evaluator.says("R-001", scripted::met());
    const auto scheduler = f.make();
    CHECK_FALSE(scheduler->last_run().has_value());
    const auto summary = scheduler->step();
    CHECK(summary.counts.deviations_upserted == 1);
    CHECK(summary.started_at == scripted::at("2026-01-15T12:00:00Z"));
    CHECK(scheduler->last_run()->run_id == summary.run_id);
    CHECK(f.log.kept.count("scheduler_run_start") == 1);
    f.clock.set(scripted::at("2026-01-15T12:05:00Z"));
    CHECK(scheduler->step().run_id != summary.run_id);
    CHECK(f.deviations.rows().front().last_seen_at == scripted::at("2026-01-15T12:05:00Z"));
}

TEST_CASE("run ids are random UUIDs") {
    Fixture f;
    const auto id = f.make()->step().run_id;
    REQUIRE(id.size() == 36);
    CHECK(id[8] == '-');
    CHECK(id[14] == '4');
    CHECK(std::string{"89ab"}.find(id[19]) != std::string::npos);
}

TEST_CASE("the run thread runs soon after start and then at its interval") {
    Fixture f;
    f.options.interval = 1ms;
    const auto scheduler = f.make();
    scheduler->start();
    CHECK(f.log.wait_for("scheduler_run_end", 3));
    scheduler->stop();
    const auto entries = f.log.kept.entries();
    CHECK(entries[0].event == "rule_loaded");
    CHECK(entries[1].event == "scheduler_configured");
    CHECK(entries[2].event == "scheduler_run_start");
}

TEST_CASE("a scheduler that is switched off does not run but answers evaluate") {
    Fixture f;
    f.options.enabled = false;
    f.options.interval = 1ms;
    f.evaluator.says("R-001", scripted::met());
    const auto scheduler = f.make();
    CHECK_FALSE(scheduler->scheduler_enabled());
    scheduler->start();
    Answer answer;
    const core::Window window{scripted::at("2026-01-15T10:00:00Z"), scripted::at("2026-01-15T11:00:00Z")};
    scheduler->evaluate({"org", "home", "ola"}, window, answer.callback());
    answer.arrived.wait_for_arrivals(1);
    scheduler->stop();
    REQUIRE(answer.value->has_value());
    const auto& verdicts = **answer.value;
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].rule_id == "R-001");
    CHECK(std::get<core::Completed>(verdicts[0].verdict).findings.size() == 1);
    CHECK(verdicts[1].rule_id == "R-002");
    CHECK(f.evaluator.asked().front().scope.subject_id == "ola");
    CHECK(f.evaluator.asked().front().window == window);
    CHECK(f.log.kept.count("scheduler_run_start") == 0);
    CHECK(f.deviations.rows().empty());
}

TEST_CASE("a run of some rules is made between two others, also if the scheduler is switched off; it is not the last run") {
    Fixture f;
    f.options.enabled = false;
    f.evaluator.says("R-001", scripted::met());
    const auto scheduler = f.make();
    scheduler->start();
    fakes::Gate arrived;
    std::vector<core::Result<ports::RunSummary>> answers;
    const auto keep = [&](core::Result<ports::RunSummary> answer) {
        answers.push_back(std::move(answer));
        arrived.pass();
    };
    scheduler->run({{"R-001"}}, keep);
    scheduler->run({{"R-099"}}, keep);
    arrived.wait_for_arrivals(2);
    scheduler->stop();
    REQUIRE(answers[0].has_value());
    CHECK(answers[0]->counts.deviations_upserted == 1);
    CHECK(f.deviations.rows().size() == 1);
    CHECK(answers[1].error().context == "rules.yaml has no rule R-099");
    CHECK_FALSE(scheduler->last_run().has_value());
    scheduler->run({}, keep);
    CHECK(answers.back().error().code == core::Errc::stopping);
}

TEST_CASE("evaluate gates rules as a run does, says why, and explains on which basis the others were asked") {
    Fixture f;
    f.folder.write("rules: {R-001: {requires_baseline: true}, R-002: {}}");
    const core::Scope known{"org", "home", "ola"};
    f.baselines.put(known, true);
    f.modes.put("R-001", core::MonitorMode::off, known);  // for runs only
    f.evaluator.says("R-001", scripted::met());
    const auto scheduler = f.make();
    for (const auto& scope : {known, core::Scope{}}) {
        Answer answer;
        scheduler->evaluate(scope, {}, answer.callback());
        scheduler->step();
        REQUIRE(answer.value->has_value());
        const auto& verdicts = **answer.value;
        REQUIRE(verdicts.size() == 2);
        const auto& first = std::get<core::Completed>(verdicts[0].verdict);
        CHECK(verdicts[0].gating_reason == (scope == known ? "" : "baseline_status_missing"));
        CHECK(first.findings.size() == (scope == known ? 1 : 0));
        if (scope == known) CHECK(nlohmann::json::parse(first.findings[0].evidence)["baseline_ready"] == true);
        CHECK(verdicts[1].gating_reason.empty());
        CHECK(std::get<core::Completed>(verdicts[1].verdict).outcome == core::Outcome::not_met);
    }
    f.baselines.fail_with(Errc::database_unavailable);
    Answer answer;
    scheduler->evaluate({}, {}, answer.callback());
    scheduler->step();
    CHECK(answer.value->error().code == Errc::database_unavailable);
}

TEST_CASE("an evaluation whose events cannot be read gets the error") {
    Fixture f;
    const auto scheduler = f.make();
    scheduler->step();
    f.evaluator.cannot_read(Errc::database_unavailable);
    Answer answer;
    scheduler->evaluate({}, {}, answer.callback());
    scheduler->step();
    REQUIRE(answer.value.has_value());
    CHECK(answer.value->error().code == Errc::database_unavailable);
}

TEST_CASE("evaluations that are not served before the stop, or asked for after it, are told so") {
    Fixture f;
    const auto scheduler = f.make();
    Answer waiting;
    scheduler->evaluate({}, {}, waiting.callback());
    scheduler->stop();
    CHECK(waiting.value->error().code == Errc::stopping);
    Answer late;
    scheduler->evaluate({}, {}, late.callback());
    CHECK(late.value->error().code == Errc::stopping);
}

TEST_CASE("more waiting evaluations than a thousand are refused as overload") {
    Fixture f;
    const auto scheduler = f.make();
    int stopped = 0;
    int overloaded = 0;
    for (int i = 0; i < 1'003; ++i) {
        scheduler->evaluate({}, {}, [&](auto answer) { ++(answer.error().code == Errc::overloaded ? overloaded : stopped); });
    }
    CHECK(overloaded == 3);
    scheduler->stop();
    CHECK(stopped == 1'000);
}

TEST_CASE("stop lets a run in progress finish if there is time") {
    Fixture f;
    f.options.stop_timeout = 1h;
    f.evaluator.says("R-001", scripted::met());
    f.evaluator.gate.close();
    const auto scheduler = f.make();
    scheduler->start();
    f.evaluator.gate.wait_for_arrivals(1);
    std::thread stopper{[&] { scheduler->stop(); }};
    f.evaluator.gate.open();
    stopper.join();
    CHECK(f.deviations.rows().size() == 1);
}

TEST_CASE("stop abandons a run that has no time left, before anything is written") {
    Fixture f;
    f.options.stop_timeout = 0ms;
    f.evaluator.says("R-001", scripted::met());
    f.evaluator.gate.close();
    const auto scheduler = f.make();
    scheduler->start();
    f.evaluator.gate.wait_for_arrivals(1);
    std::thread stopper{[&] { scheduler->stop(); }};
    // stop() has begun once evaluate() is refused.
    bool stopping = false;
    while (!stopping) {
        scheduler->evaluate({}, {}, [&](auto answer) {
            if (!answer && answer.error().code == Errc::stopping) stopping = true;
        });
        std::this_thread::yield();
    }
    f.evaluator.gate.open();
    stopper.join();
    CHECK(f.deviations.rows().empty());
    CHECK(scheduler->last_run()->error == "the run was abandoned: the host is going down");
}

TEST_CASE("runs that would have started during a long run are left out and said to be late") {
    Fixture f;
    f.options.interval = 1ms;
    f.evaluator.gate.close();
    const auto scheduler = f.make();
    scheduler->start();
    f.evaluator.gate.wait_for_arrivals(1);
    // The run outlasts its interval for certain.
    const auto until = std::chrono::steady_clock::now() + 3ms;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    f.evaluator.gate.open();
    CHECK(f.log.wait_for("scheduler_run_late"));
    scheduler->stop();
    const auto entry = f.last_of("scheduler_run_late");
    CHECK(entry.level == ports::LogLevel::warning);
    CHECK(std::get<std::int64_t>(entry.fields.at("missed")) >= 1);
}

TEST_CASE("a good edit of rules.yaml is in force at the next run") {
    Fixture f;
    const auto scheduler = f.make();
    CHECK(scheduler->rules()->rules.empty());
    scheduler->step();
    const auto before = scheduler->rules();
    CHECK(before->rules.at("R-001").enabled_in_scheduler);
    f.folder.replace("rules: {R-001: {}, R-002: {enabled_in_scheduler: true, timeout_ms: 50}}");
    scheduler->step();
    CHECK(f.log.kept.count("config_reloaded") == 1);
    CHECK(f.evaluator.asked().back().rule_id == "R-002");
    CHECK(f.evaluator.configured().size() == 2);
    CHECK_FALSE(scheduler->rules()->rules.at("R-001").enabled_in_scheduler);
    CHECK(before->rules.at("R-001").enabled_in_scheduler);
}

TEST_CASE("a bad edit of rules.yaml changes nothing, says where it is wrong, and is forgotten when it is mended") {
    Fixture f;
    const auto scheduler = f.make();
    scheduler->step();
    f.folder.replace("rules:\n  R-001:\n    enabled_in_schedule: true\n");
    CHECK(scheduler->step().counts.rules_total == 1);
    CHECK(f.log.kept.count("config_rejected") == 1);
    const auto error = scripted::json_field(f.last_of("config_rejected"), "error").at("message").get<std::string>();
    CHECK(error ==
          f.folder.file().string() + ":3:5: rules.R-001.enabled_in_schedule: unknown key; did you mean 'enabled_in_scheduler'?");
    scheduler->step();
    CHECK(f.log.kept.count("config_rejected") == 1);
    f.folder.replace("rules: {R-001: {enabled_in_scheduler: true}}");
    scheduler->step();
    CHECK(f.log.kept.count("config_reloaded") == 1);
}

TEST_CASE("edits are noticed by the run thread between runs") {
    Fixture f;
    const auto scheduler = f.make();
    scheduler->start();
    REQUIRE(f.log.wait_for("scheduler_run_end"));
    f.folder.replace("rules: {R-002: {}}");
    CHECK(f.log.wait_for("config_reloaded"));
    f.catalogue.holds({.plugins = {scripted::plugin("R-002")}, .rejected = {}});
    CHECK(f.log.wait_for("rule_loaded", 2));
    scheduler->stop();
    CHECK(scheduler->rule_states().size() == 1);
    CHECK(scheduler->rule_states().front().loaded);
}

TEST_CASE("without any usable rules.yaml every run fails with its mistakes until it is mended") {
    Fixture f;
    f.folder.write("rules: [");
    const auto scheduler = f.make();
    CHECK(scheduler->step().error.starts_with(f.folder.file().string() + ":1:1: is not YAML: "));
    scheduler->step();
    CHECK(f.log.kept.count("config_rejected") == 1);
    CHECK(f.log.kept.count("scheduler_run_end") == 2);
    CHECK(f.last_of("scheduler_run_end").level == ports::LogLevel::error);
    Answer answer;
    scheduler->evaluate({}, {}, answer.callback());
    scheduler->step();
    CHECK(answer.value->error().code == Errc::config_invalid);
    f.folder.replace("rules: {R-001: {enabled_in_scheduler: true}}");
    CHECK(scheduler->step().error.empty());
}

TEST_CASE("a rule that is switched off in the database shows as not enabled after the run that saw it") {
    Fixture f;
    const auto scheduler = f.make();
    scheduler->step();
    CHECK(scheduler->rule_states().front().enabled);
    auto row = f.rules.list().value().front();
    row.is_enabled = false;
    REQUIRE(f.rules.update(row));
    scheduler->step();
    CHECK_FALSE(scheduler->rule_states().front().enabled);
}
