#include "guard_fixture.hpp"

#include <algorithm>

using namespace varde;
using namespace varde::guard_test;

TEST_CASE("a rule that answers is asked every time, and nothing is stored or logged") {
    Fixture f;
    for (int i = 0; i < 20; ++i) CHECK(std::get<core::Completed>(f.run_once(i)).outcome == core::Outcome::met);
    CHECK(f.next.asked.size() == 1);
    CHECK(f.incidents.stored().empty());
    CHECK_FALSE(f.incidents.breaker("R-001").has_value());
    CHECK(f.log.entries().empty());
    CHECK(f.guard->breakers().empty());
}

TEST_CASE("a failure becomes an incident that knows the plugin, the window and what was done") {
    Fixture f;
    f.always(failed());
    const auto failure = failure_of(f.run_once(10));
    CHECK(failure.reason == FailureReason::segmentation_fault);
    CHECK(failure.incident_id == "incident-1");
    const auto stored = f.incidents.stored();
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].incident_id == "incident-1");
    CHECK(stored[0].rule_id == "R-001");
    CHECK(stored[0].at == at(10));
    CHECK(stored[0].last_at == at(10));
    CHECK(stored[0].scope == core::Scope{"org", "home-1", "subject"});
    CHECK(stored[0].failure.message == "SIGSEGV");
    REQUIRE(stored[0].failure.evidence);
    const auto& evidence = *stored[0].failure.evidence;
    CHECK(evidence.path == "plugins/R-001.so");
    CHECK(evidence.version == "1.0.0");
    CHECK(evidence.sdk == "c++");
    CHECK(evidence.sha256 == "aa11");
    CHECK(evidence.window == core::Window{at(-3600), at(0)});
    CHECK(evidence.breaker == "suspect");
    CHECK(evidence.action == "worker replaced");
    CHECK(evidence.consecutive_failures == 1);
    CHECK(evidence.out_until == core::Instant{});
    CHECK(evidence.clear_hint.empty());
    CHECK(failure.evidence->action == "worker replaced");
}

TEST_CASE("what the evaluator knows of a failure stays, and what was done is added") {
    Fixture f;
    core::Evidence evidence;
    evidence.path = "elsewhere.so";
    evidence.sha256 = "aa11";
    evidence.pid = 17;
    evidence.window = {at(1), at(2)};
    f.always(failed_with(evidence, FailureReason::violation));
    const auto failure = failure_of(f.run_once(0));
    CHECK(failure.evidence->path == "elsewhere.so");
    CHECK(failure.evidence->pid == 17);
    CHECK(failure.evidence->window == core::Window{at(1), at(2)});
    CHECK(failure.evidence->breaker == "quarantined");
    CHECK(failure.evidence->action == "worker replaced, rule quarantined");
    CHECK(failure.evidence->out_until == at(32));
    CHECK(failure.evidence->clear_hint == "varde rules release R-001, a new plugin file, or switching the rule off and on");
}

TEST_CASE("failures of one kind are one incident; another kind is another") {
    Fixture f;
    f.always(failed());
    CHECK(failure_of(f.run_once(0)).incident_id == "incident-1");
    CHECK(failure_of(f.run_once(60)).incident_id == "incident-1");
    f.always(failed(FailureReason::rule_error, "no"));
    CHECK(failure_of(f.run_once(120)).incident_id == "incident-2");
    auto stored = f.incidents.stored();
    REQUIRE(stored.size() == 2);
    CHECK(stored[0].repeats == 1);
    CHECK(stored[0].last_at == at(60));
    CHECK(stored[1].repeats == 0);
}

TEST_CASE("the third failure in a row takes a rule out of service; it is not asked and says why, until when and what to do") {
    Fixture f;
    f.always(failed());
    f.run(0);
    f.run(60);
    CHECK(f.state() == BreakerState::backing_off);
    f.run(120);
    CHECK(f.state() == BreakerState::quarantined);
    const auto failure = failure_of(f.run_once(130));
    CHECK(f.next.asked.empty());
    CHECK(failure.reason == FailureReason::quarantined);
    CHECK(failure.phase == core::Phase::evaluate);
    const std::string said =
        "R-001 is out of service since 2026-01-15T12:02:00Z until 2026-01-15T12:02:32Z, then it is tried with a few"
        " evaluations, after 3 failures in a row, the last one: segmentation_fault. To bring it back now: varde rules"
        " release R-001, a new plugin file, or switching the rule off and on";
    CHECK(failure.message == said);
    CHECK(failure.incident_id == "incident-1");
    CHECK(failure.evidence == nullptr);
    CHECK(f.incidents.stored().size() == 1);  // not being asked is no incident
}

TEST_CASE("other rules are asked as if nothing had happened") {
    Fixture f;
    f.quarantine();
    f.always(sound());
    f.clock.set(at(5));
    f.next.asked.clear();
    const std::vector evaluations{Fixture::evaluation("R-001", 1), Fixture::evaluation("R-002", 1),
                                  Fixture::evaluation("R-001", 2), Fixture::evaluation("R-002", 2),
                                  Fixture::evaluation("R-003", 2)};
    const auto verdicts = f.guard->evaluate(evaluations).value();
    CHECK(is_out_of_service(verdicts[0]));
    CHECK(std::holds_alternative<core::Completed>(verdicts[1]));
    CHECK(is_out_of_service(verdicts[2]));
    CHECK(std::holds_alternative<core::Completed>(verdicts[3]));
    CHECK(std::holds_alternative<core::Completed>(verdicts[4]));  // of no plugin: the evaluator's business
    CHECK(f.next.asked.size() == 3);
}

TEST_CASE("a batch in which everything is out of service asks nobody") {
    Fixture f;
    f.quarantine();
    f.next.failure = core::Errc::database_unavailable;
    for (const auto& verdict : f.run(5, 4)) CHECK(is_out_of_service(verdict));
}

TEST_CASE("a rule that backs off says so and is asked when that is over") {
    Fixture f;
    f.always(failed());
    f.run(0);
    f.run(60);
    const auto waiting = failure_of(f.run_once(60.5));
    CHECK(waiting.reason == FailureReason::quarantined);
    CHECK(
        waiting.message.starts_with("R-001 is not asked until 2026-01-15T12:01:01Z, after 2 failures in a row, the last one: "));
    f.always(sound());
    CHECK(std::holds_alternative<core::Completed>(f.run_once(61)));
    CHECK(f.state() == BreakerState::suspect);
}

TEST_CASE("after its quarantine a rule is probed with as many homes as there are probes, and their answers are dropped") {
    Fixture f;
    f.quarantine();
    f.always(sound());
    f.unit = 0;
    const auto verdicts = f.run(32, 10);
    CHECK(f.next.asked.size() == 3);
    for (const auto& verdict : verdicts) CHECK(is_out_of_service(verdict));
    CHECK(failure_of(verdicts[0]).message == "R-001 was asked on trial; its answer was sound (1 of 3) and is dropped");
    CHECK(failure_of(verdicts[2]).message == "R-001 was asked on trial; its answer was sound (3 of 3) and is dropped");
    CHECK(failure_of(verdicts[2]).incident_id == "incident-1");
    CHECK(failure_of(verdicts[3])
              .message.starts_with(
                  "R-001 is out of service since 2026-01-15T12:00:00Z and being tried with a few evaluations, after 3 failures"));
    for (const auto& verdict : f.run(33, 10)) CHECK(std::holds_alternative<core::Completed>(verdict));
}

TEST_CASE("with one home a probe is made in each run") {
    Fixture f;
    f.quarantine();
    f.always(sound());
    for (const double second : {60.0, 120.0, 180.0}) {
        CHECK(is_out_of_service(f.run_once(second)));
        CHECK(f.next.asked.size() == 1);
    }
    CHECK(std::holds_alternative<core::Completed>(f.run_once(240)));
}

TEST_CASE("the homes of the probes are drawn by lot, in the order of the batch") {
    Fixture f;
    f.quarantine();
    f.always(sound());
    f.unit = 0.89;
    f.run(32, 10);
    std::vector<std::string> homes;
    for (const auto& asked : f.next.asked) homes.push_back(asked.scope.home_id);
    CHECK(homes == std::vector<std::string>{"home-1", "home-9", "home-10"});
}

TEST_CASE("a failing probe quarantines again, for longer, and is reported as what it was") {
    Fixture f;
    f.quarantine();
    f.unit = 0.5;
    f.next.answer = [](const ports::Evaluation& e) -> core::Verdict {
        if (e.scope.home_id == "home-3") return failed(FailureReason::rule_error, "no");
        return sound();
    };
    const auto verdicts = f.run(40, 4);  // asked: homes 3, 4 and 1
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.guard->breakers().front().until == at(40 + 64));
    CHECK(failure_of(verdicts[0]).message.ends_with("sound (1 of 3) and is dropped"));
    CHECK(failure_of(verdicts[2]).reason == FailureReason::rule_error);
    CHECK(failure_of(verdicts[2]).evidence->action == "worker kept, rule quarantined");
    CHECK(failure_of(verdicts[3]).message.starts_with("R-001 is out of service since 2026-01-15T12:00:00Z until"));
}

TEST_CASE("homes that a rule cannot judge, side by side, do not take it away from the others") {
    Fixture f;
    f.next.answer = [](const ports::Evaluation& e) -> core::Verdict {
        if (e.scope.home_id == "home-20") return sound();
        return failed(FailureReason::rule_error, "no such room");
    };
    for (int i = 0; i < 10; ++i) {
        f.run(60 * i, 20);
        CHECK(f.next.asked.size() == 20);
    }
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.incidents.stored().size() == 1);
    CHECK(f.incidents.stored()[0].repeats == 10 * 19 - 1);
}

TEST_CASE("a rule that judges no home at all counts once a batch") {
    Fixture f;
    f.always(failed(FailureReason::rule_error, "no"));
    f.run(0, 20);
    CHECK(f.state() == BreakerState::suspect);
    CHECK(f.guard->breakers().front().consecutive == 1);
    f.run(60, 20);
    f.run(120, 20);
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.guard->breakers().front().reason == "rule_error: no");
}

TEST_CASE("one home that costs a worker in every run takes the rule out within the window") {
    Fixture f;
    f.next.answer = [](const ports::Evaluation& e) -> core::Verdict {
        if (e.scope.home_id == "home-7") return failed();
        return sound();
    };
    for (int i = 0; i < 4; ++i) {
        f.run(60 * i, 50);
        CHECK(f.state() == BreakerState::healthy);
    }
    f.run(240, 50);
    CHECK(f.state() == BreakerState::quarantined);
}

TEST_CASE("the rest of a batch that was not asked any more is the same death: a process dies once") {
    for (const bool shared : {true, false}) {
        Fixture f;
        core::Evidence second;
        second.pid = 2;
        second.incarnation = 2;
        const auto rest = failed_with(second);
        f.next.answer = [&](const ports::Evaluation& e) -> core::Verdict {
            core::Evidence first;
            first.pid = 1;
            if (e.scope.home_id == "home-1") return failed_with(first);
            return shared ? rest : failed_with(second);
        };
        const auto verdicts = f.run(0, 6);
        CHECK(f.guard->breakers().front().consecutive == 2);
        CHECK(f.state() == BreakerState::backing_off);
        CHECK(f.incidents.stored()[0].repeats == 1);
        for (const auto& verdict : verdicts) CHECK(failure_of(verdict).incident_id == "incident-1");
        CHECK(failure_of(verdicts[5]).evidence->pid == 2);
        CHECK(failure_of(verdicts[5]).evidence->breaker == "backing_off");
        CHECK((failure_of(verdicts[5]).evidence == failure_of(verdicts[1]).evidence) == shared);
    }
}

TEST_CASE("failures of one worker that lives are each their own") {
    Fixture f;
    core::Evidence same;
    same.pid = 1;
    f.next.answer = [&](const ports::Evaluation&) -> core::Verdict { return failed_with(same, FailureReason::rule_error); };
    f.run(0, 4);
    CHECK(f.incidents.stored()[0].repeats == 3);
}

TEST_CASE("what is not the rule's doing is an incident and never takes the rule out") {
    Fixture f;
    f.always(failed(FailureReason::starved, "no CPU"));
    for (int i = 0; i < 20; ++i) {
        CHECK(failure_of(f.run_once(i)).reason == FailureReason::starved);
        CHECK(f.next.asked.size() == 1);
    }
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.incidents.stored().size() == 1);
    CHECK(f.incidents.stored()[0].failure.evidence->action == "not counted against the rule");
}

TEST_CASE("a rule without a plugin is no incident") {
    Fixture f;
    f.always(failed(FailureReason::not_loaded, "there is no plugin"));
    const auto failure = failure_of(f.run_once(0));
    CHECK(failure.incident_id.empty());
    CHECK(failure.evidence == nullptr);
    CHECK(f.incidents.stored().empty());
}

TEST_CASE("a rule that was refused keeps its own reason, is one incident and is not quarantined") {
    Fixture f;
    f.next.refusals = {failed(FailureReason::create_failed, "timezone: no zone Nowhere"), std::nullopt};
    const auto refused = f.configure();
    REQUIRE(refused[0].has_value());
    CHECK(refused[0]->incident_id == "incident-1");
    CHECK(refused[0]->evidence->action == "rule not in use");
    CHECK(refused[0]->evidence->sha256 == "aa11");
    CHECK_FALSE(refused[1].has_value());
    CHECK(f.incidents.stored()[0].scope == core::Scope{"", "", ""});
    f.always(*f.next.refusals[0]);
    for (int i = 0; i < 10; ++i) CHECK(failure_of(f.run_once(60 * i)).reason == FailureReason::create_failed);
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.incidents.stored().size() == 1);
    CHECK(f.incidents.stored()[0].repeats == 10);
}

TEST_CASE("another plugin file starts healthy") {
    Fixture f;
    f.quarantine();
    (void)f.configure("aa12");
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.incidents.breaker("R-001")->sha256 == "aa12");
    CHECK(f.incidents.breaker("R-001")->state == BreakerState::healthy);
    CHECK(f.logged_text("rule_back_in_service", "why") == "another plugin file");
    CHECK(f.logged_text("rule_back_in_service", "sha256") == "aa12");
    f.run(1);
    CHECK(f.next.asked.size() == 1);
}

TEST_CASE("the same plugin file stays out, whatever else is configured anew") {
    Fixture f;
    f.quarantine();
    (void)f.configure();
    CHECK(f.state() == BreakerState::quarantined);
}

TEST_CASE("a failure of the version that still serves is counted against that one") {
    Fixture f;
    core::Evidence old;
    old.sha256 = "aa10";
    f.always(failed_with(old, FailureReason::violation));
    f.run(0);
    CHECK(f.guard->breakers().front().sha256 == "aa10");
    (void)f.configure();
    CHECK(f.state() == BreakerState::healthy);
}

TEST_CASE("each change is logged once, with what an operator needs") {
    Fixture f;
    f.always(failed());
    f.run(0);
    f.run(60);
    f.run(60.1);
    f.run(120);
    for (int i = 0; i < 30; ++i) f.run(121 + i);
    f.run(152);  // a probe, which fails
    f.run(153);
    f.always(sound());
    f.run(220, 3);
    f.run(221);
    std::vector<std::string> events;
    for (const auto& entry : f.log.entries()) {
        CHECK(entry.component == "plugins");
        events.push_back(entry.event);
    }
    CHECK(events == std::vector<std::string>{"rule_backing_off", "rule_quarantined", "rule_probing", "rule_quarantined",
                                             "rule_probing", "rule_back_in_service"});
    const auto quarantined = f.logged("rule_quarantined");
    CHECK(quarantined.level == ports::LogLevel::error);
    CHECK(f.logged("rule_backing_off").level == ports::LogLevel::warning);
    CHECK(f.logged_text("rule_quarantined", "rule_id") == "R-001");
    CHECK(f.logged_text("rule_quarantined", "sha256") == "aa11");
    CHECK(f.logged_text("rule_quarantined", "until") == "2026-01-15T12:02:32Z");
    CHECK(f.logged_text("rule_quarantined", "reason") == "segmentation_fault: SIGSEGV");
    CHECK(f.logged_text("rule_quarantined", "incident_id") == "incident-1");
    CHECK(f.logged_text("rule_quarantined", "clear").starts_with("varde rules release R-001"));
    CHECK(std::get<std::int64_t>(quarantined.fields.at("consecutive_failures")) == 3);
    CHECK(std::get<std::int64_t>(f.logged("rule_probing").fields.at("probes")) == 3);
    CHECK(f.logged_text("rule_back_in_service", "why") == "its probes were sound");
}

TEST_CASE("a failure of the event log is handed on and counts against nobody") {
    Fixture f;
    f.next.failure = core::Errc::database_unavailable;
    const std::vector evaluations{Fixture::evaluation("R-001")};
    CHECK(f.guard->evaluate(evaluations).error().code == core::Errc::database_unavailable);
    CHECK(f.state() == BreakerState::healthy);
}

TEST_CASE("given events are judged unguarded") {
    Fixture f;
    f.quarantine();
    f.always(sound());
    CHECK(std::holds_alternative<core::Completed>(f.guard->evaluate_events(Fixture::evaluation("R-001"), "{}", {})));
    CHECK(f.guard->scopes() == f.next.scopes());
    CHECK(f.guard->catch_up(at(0)).has_value());
}
