#include "guard_fixture.hpp"

using namespace varde;
using namespace varde::guard_test;

TEST_SUITE("the guard and its database") {
    TEST_CASE("a quarantine survives a restart") {
        Fixture f;
        f.quarantine();
        f.start();
        CHECK(f.state() == BreakerState::quarantined);
        const auto failure = failure_of(f.run_once(20));
        CHECK(failure.reason == FailureReason::quarantined);
        CHECK(failure.incident_id == "incident-1");
        CHECK(f.next.asked.empty());
        f.run(32);
        CHECK(f.next.asked.size() == 1);
    }

    TEST_CASE("a probation survives a restart with its sound probes") {
        Fixture f;
        f.quarantine();
        f.always(sound());
        f.run(32, 2);
        f.start();
        CHECK(f.state() == BreakerState::probing);
        f.run(60);
        CHECK(f.state() == BreakerState::suspect);
    }

    TEST_CASE("after a restart with another plugin file the rule is healthy, and the row too") {
        Fixture f;
        f.quarantine();
        f.guard.reset();
        f.incidents.save([&] {
            auto row = *f.incidents.breaker("R-001");
            row.sha256 = "older";
            return row;
        }());
        f.start();
        CHECK(f.state() == BreakerState::healthy);
        CHECK(f.incidents.breaker("R-001")->state == BreakerState::healthy);
        CHECK(f.incidents.breaker("R-001")->sha256 == "aa11");
    }

    TEST_CASE("a release by another process is noticed within a second") {
        Fixture f;
        f.quarantine();
        CHECK(f.incidents.release("R-001").value());
        f.clock.set(at(0.9));
        CHECK(f.state() == BreakerState::quarantined);
        f.clock.set(at(1));
        CHECK(f.state() == BreakerState::healthy);
        CHECK(f.logged_text("rule_back_in_service", "why") == "released");
        f.run(1);
        CHECK(f.next.asked.size() == 1);
        CHECK(f.log.count("rule_back_in_service") == 1);
    }

    TEST_CASE("who switches a rule releases it at once") {
        Fixture f;
        f.quarantine();
        f.guard->release("R-001");
        CHECK(f.state() == BreakerState::healthy);
        CHECK(f.incidents.breaker("R-001")->state == BreakerState::healthy);
        CHECK(f.logged_text("rule_back_in_service", "why") == "switched");
        f.guard->release("R-001");
        f.guard->release("R-999");
        CHECK(f.log.count("rule_back_in_service") == 1);
        f.run(1);
        CHECK(f.next.asked.size() == 1);
    }

    TEST_CASE("a release wins over a failure of the same moment") {
        Fixture f;
        f.quarantine();
        f.next.answer = [&](const ports::Evaluation&) {
            CHECK(f.incidents.release("R-001").value());
            return failed();
        };
        f.run(40);  // a probe that fails while somebody releases the rule
        CHECK(f.state() == BreakerState::healthy);
        CHECK_FALSE(f.incidents.breaker("R-001").has_value());
        CHECK(f.log.count("rule_quarantined") == 1);
    }

    TEST_CASE("the database is asked for releases while a rule is not healthy only, and once a second") {
        Fixture f;
        const int calm = f.incidents.calls();
        for (int i = 0; i < 50; ++i) f.run(i * 0.1);
        CHECK(f.incidents.calls() == calm);
        f.quarantine();
        const int after = f.incidents.calls();
        for (int i = 1; i <= 50; ++i) f.run(i * 0.1);
        CHECK(f.incidents.calls() == after + 5);
    }

    TEST_CASE("a clock that was set back does not stop the guard from looking") {
        Fixture f;
        f.quarantine();
        CHECK(f.incidents.release("R-001").value());
        f.clock.set(at(-5000));
        CHECK(f.state() == BreakerState::healthy);
    }

    TEST_CASE("without a database rules are judged and guarded, and the outage is logged once") {
        Fixture f;
        f.incidents.fail_with(core::Errc::database_unavailable);
        f.always(failed());
        f.run(0, 3);
        CHECK(f.state() == BreakerState::quarantined);
        for (int i = 1; i < 30; ++i) CHECK(is_out_of_service(f.run_once(i)));
        CHECK(f.log.count("incidents_database_unavailable") == 1);
        CHECK(f.incidents.stored().empty());

        f.incidents.fail_with(std::nullopt);
        f.run(31);
        const auto stored = f.incidents.stored();
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].at == at(0));
        CHECK(stored[0].repeats == 2);
        CHECK(f.incidents.breaker("R-001")->state == BreakerState::quarantined);
        CHECK(f.log.count("incidents_database_available") == 1);
    }

    TEST_CASE("a host that starts without its database finds the quarantine when it is back") {
        Fixture f;
        f.quarantine();
        f.incidents.fail_with(core::Errc::database_unavailable);
        f.start();
        CHECK(f.state() == BreakerState::healthy);
        f.incidents.fail_with(std::nullopt);
        f.clock.set(at(6));
        CHECK(f.state() == BreakerState::quarantined);
    }

    TEST_CASE("failures before the database could be read are not forgotten for what it says") {
        Fixture f;
        f.quarantine();
        f.guard.reset();
        f.incidents.save([&] {
            auto row = *f.incidents.breaker("R-001");
            row.state = BreakerState::suspect;
            return row;
        }());
        f.incidents.fail_with(core::Errc::database_unavailable);
        f.start();
        f.run(1, 3);
        f.incidents.fail_with(std::nullopt);
        f.run(10);
        CHECK(f.state() == BreakerState::quarantined);
        CHECK(f.incidents.breaker("R-001")->state == BreakerState::quarantined);
    }

    TEST_CASE("a rule whose plugin comes later finds its quarantine") {
        Fixture f;
        f.quarantine();
        f.guard =
            std::make_unique<evaluate::GuardedEvaluator>(f.next, evaluate::GuardPorts{f.incidents, f.clock, f.log}, f.settings);
        (void)f.guard->configure({Fixture::spec("R-002", "bb22")});
        CHECK(f.state() == BreakerState::healthy);
        (void)f.configure();
        CHECK(f.state() == BreakerState::quarantined);
    }

    TEST_CASE("a rule whose plugin is not there can be released all the same") {
        for (const bool by_another_process : {false, true}) {
            Fixture f;
            f.quarantine();
            f.guard = std::make_unique<evaluate::GuardedEvaluator>(f.next, evaluate::GuardPorts{f.incidents, f.clock, f.log},
                                                                   f.settings);
            (void)f.guard->configure({Fixture::spec("R-002", "bb22")});
            if (by_another_process) {
                CHECK(f.incidents.release("R-001").value());
            } else {
                f.guard->release("R-001");
            }
            (void)f.configure();
            CHECK(f.state() == BreakerState::healthy);
            f.start();
            CHECK(f.state() == BreakerState::healthy);
        }
    }

    TEST_CASE("only as many incidents are kept as are wanted") {
        Fixture f;
        f.settings.keep_incidents = 2;
        f.start();
        for (const auto reason : {FailureReason::starved, FailureReason::spawn_failed, FailureReason::input_too_large}) {
            f.always(failed(reason));
            f.run(0);
        }
        CHECK(f.incidents.stored().size() == 2);
    }
}
