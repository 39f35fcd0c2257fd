#include "evaluate/breaker.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace varde;
using namespace std::chrono_literals;
using core::BreakerState;
using core::FailureReason;
using evaluate::Breaker;
using evaluate::FailureWeight;

namespace {

/// 2026-01-15T12:00:00Z and so many seconds.
core::Instant at(double seconds) {
    return core::instant_from_us(1'768'478'400'000'000 + static_cast<std::int64_t>(seconds * 1e6));
}

constexpr double kMiddle = 0.5;  ///< no jitter

core::BreakerRecord fresh() {
    core::BreakerRecord record;
    record.rule_id = "R-001";
    record.sha256 = "aa11";
    return record;
}

Breaker::Failure failure(FailureWeight weight, std::string reason = "segmentation_fault: SIGSEGV") {
    return {weight, std::move(reason), "incident-1"};
}
const auto kLost = failure(FailureWeight::lost_worker);
const auto kAlive = failure(FailureWeight::alive, "rule_error: no");

/// The defaults: 3 in a row, 5 lost workers in 600 s, 1 s doubled up to 300 s, 3 probes.
struct Fixture {
    Breaker::Settings settings;
    Breaker breaker{settings, fresh()};

    Fixture() = default;
    explicit Fixture(const Breaker::Settings& other) : settings{other} {}

    [[nodiscard]] BreakerState state() const { return breaker.record().state; }
    [[nodiscard]] double until() const {
        return static_cast<double>(core::to_us(breaker.record().until) - core::to_us(at(0))) / 1e6;
    }
    void lose(double second, double unit = kMiddle) { breaker.failed(kLost, at(second), unit); }
    void answer(double second, int times = 1) {
        for (int i = 0; i < times; ++i) breaker.answered(at(second));
    }
    /// Quarantined at second 0 until 32.
    void quarantine() {
        for (int i = 0; i < 3; ++i) lose(0);
        REQUIRE(state() == BreakerState::quarantined);
    }
};

core::Failed failed(FailureReason reason, int signal = 0) {
    core::Failed failed;
    failed.reason = reason;
    failed.signal = signal;
    return failed;
}

}  // namespace

TEST_CASE("a failure weighs what it says about the rule") {
    using enum FailureReason;
    for (const auto reason : {starved, spawn_failed, not_loaded, input_too_large, quarantined, load_failed, abi_mismatch,
                              manifest_mismatch, untrusted_file, selftest_failed}) {
        CHECK(evaluate::weight_of(failed(reason)) == FailureWeight::none);
    }
    for (const auto reason : {rule_error, bad_result, exception_escaped, create_failed, nondeterministic}) {
        CHECK(evaluate::weight_of(failed(reason)) == FailureWeight::alive);
    }
    for (const auto reason :
         {segmentation_fault, stack_overflow, aborted, crashed, exited, deadline, protocol, log_flood, unkillable}) {
        CHECK(evaluate::weight_of(failed(reason)) == FailureWeight::lost_worker);
    }
    CHECK(evaluate::weight_of(failed(violation)) == FailureWeight::violation);
    CHECK(evaluate::weight_of(failed(out_of_memory)) == FailureWeight::alive);
    CHECK(evaluate::weight_of(failed(out_of_memory, 9)) == FailureWeight::lost_worker);
}

TEST_CASE("a rule that answers stays healthy and its record stays as it was") {
    Fixture f;
    f.answer(0, 100);
    CHECK(f.breaker.turn(at(1)) == Breaker::Turn::ask);
    CHECK(f.breaker.record() == fresh());
}

TEST_CASE("the first lost worker makes a rule suspect: it is asked at the next run") {
    Fixture f;
    f.lose(10);
    CHECK(f.state() == BreakerState::suspect);
    CHECK(f.breaker.turn(at(10)) == Breaker::Turn::ask);
    const auto& record = f.breaker.record();
    CHECK(record.consecutive == 1);
    CHECK(record.reason == "segmentation_fault: SIGSEGV");
    CHECK(record.incident_id == "incident-1");
    CHECK(record.changed_at == at(10));
    CHECK(record.recent == std::vector{at(10)});
    CHECK(record.until == core::Instant{});
}

TEST_CASE("the second lost worker makes it back off, and it is asked when that is over, not before") {
    Fixture f;
    f.lose(10);
    f.lose(20);
    CHECK(f.state() == BreakerState::backing_off);
    CHECK(f.until() == 21);
    CHECK(f.breaker.turn(at(20.999999)) == Breaker::Turn::wait);
    CHECK(f.breaker.turn(at(21)) == Breaker::Turn::ask);
    CHECK(f.state() == BreakerState::backing_off);
}

TEST_CASE("each back-off is twice the one before, up to the longest") {
    Fixture f{[] {
        Breaker::Settings settings;
        settings.consecutive = 1000;
        settings.within_window = 1000;
        settings.first_back_off = 3s;
        settings.max_back_off = 40s;
        return settings;
    }()};
    f.lose(0);
    std::vector<double> waits;
    for (int i = 0; i < 6; ++i) {
        f.lose(100 * i);
        waits.push_back(f.until() - 100 * i);
    }
    CHECK(waits == std::vector<double>{3, 6, 12, 24, 40, 40});
}

TEST_CASE("back-offs are spread by a fifth to both sides") {
    for (const auto& [unit, seconds] : {std::pair{0.0, 0.8}, {0.25, 0.9}, {0.5, 1.0}, {1.0, 1.2}}) {
        Fixture f;
        f.lose(0);
        f.lose(0, unit);
        CHECK(f.until() == doctest::Approx(seconds));
    }
}

TEST_CASE("the third failure in a row opens it") {
    Fixture f;
    f.lose(0);
    f.lose(60);
    f.lose(120);
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.until() == 152);
    CHECK(f.breaker.record().consecutive == 3);
    CHECK(f.breaker.record().changed_at == at(120));
    CHECK(f.breaker.turn(at(151.999999)) == Breaker::Turn::wait);
    CHECK(f.breaker.probes_left() == 0);
}

TEST_CASE("an answer between them starts the row anew") {
    Fixture f;
    f.breaker.failed(kAlive, at(0), kMiddle);
    f.breaker.failed(kAlive, at(60), kMiddle);
    f.answer(120);
    CHECK(f.breaker.record().consecutive == 0);
    f.breaker.failed(kAlive, at(180), kMiddle);
    f.breaker.failed(kAlive, at(240), kMiddle);
    CHECK(f.state() == BreakerState::suspect);
    f.breaker.failed(kAlive, at(300), kMiddle);
    CHECK(f.state() == BreakerState::quarantined);
}

TEST_CASE("five lost workers within ten minutes open it, however many answers lie between them") {
    Fixture f;
    for (int i = 0; i < 4; ++i) {
        f.lose(140 * i);
        f.answer(140 * i, 1000);
        CHECK(f.state() == BreakerState::healthy);
    }
    f.lose(560);
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.until() == 592);
}

TEST_CASE("lost workers that are further apart do not open it") {
    Fixture f;
    for (int i = 0; i < 20; ++i) {
        f.lose(150 * i);  // the window of 600 s holds four of them: it does not hold its beginning
        f.answer(150 * i, 10);
    }
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.breaker.record().recent.size() == 4);
}

TEST_CASE("failures that left the worker alive count in a row only: one odd home does not take the rule away from the others") {
    Fixture f;
    for (int i = 0; i < 100; ++i) {
        f.breaker.failed(kAlive, at(i), kMiddle);
        f.answer(i);
        CHECK(f.breaker.turn(at(i)) == Breaker::Turn::ask);
    }
    CHECK(f.breaker.record().recent.empty());
    CHECK(f.breaker.record().level == 0);
}

TEST_CASE("a failure that left the worker alive does not make a rule back off") {
    Fixture f;
    f.breaker.failed(kAlive, at(0), kMiddle);
    f.breaker.failed(kAlive, at(1), kMiddle);
    CHECK(f.state() == BreakerState::suspect);
    CHECK(f.breaker.turn(at(1)) == Breaker::Turn::ask);
}

TEST_CASE("a forbidden system call opens it at once") {
    Fixture f;
    f.breaker.failed(failure(FailureWeight::violation, "violation: socket"), at(0), kMiddle);
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.breaker.record().reason == "violation: socket");
    CHECK(f.until() == 32);
}

TEST_CASE("what is not the rule's doing changes nothing") {
    Fixture f;
    for (int i = 0; i < 100; ++i) f.breaker.failed(failure(FailureWeight::none), at(i), kMiddle);
    CHECK(f.breaker.record() == fresh());
    f.quarantine();
    CHECK(f.breaker.turn(at(40)) == Breaker::Turn::probe);
    const auto before = f.breaker.record();
    f.breaker.failed(failure(FailureWeight::none), at(40), kMiddle);
    CHECK(f.breaker.record() == before);
}

TEST_CASE("a quarantine that is over is probed; enough sound answers make the rule suspect, more make it healthy") {
    Fixture f;
    f.quarantine();
    CHECK(f.breaker.turn(at(32)) == Breaker::Turn::probe);
    CHECK(f.state() == BreakerState::probing);
    CHECK(f.breaker.probes_left() == 3);
    f.answer(32);
    CHECK(f.breaker.probes_left() == 2);
    CHECK(f.breaker.turn(at(33)) == Breaker::Turn::probe);
    f.answer(33, 2);
    CHECK(f.state() == BreakerState::suspect);
    CHECK(f.breaker.turn(at(33)) == Breaker::Turn::ask);
    CHECK(f.breaker.record().level == 5);
    CHECK(f.breaker.record().consecutive == 0);
    f.answer(34, 10);
    CHECK(f.breaker.record().level == 2);
    f.answer(35, 19);
    CHECK(f.breaker.record().level == 1);
    CHECK(f.state() == BreakerState::suspect);
    f.answer(36);
    CHECK(f.state() == BreakerState::healthy);
    CHECK(f.breaker.record().reason.empty());
    CHECK(f.breaker.record().incident_id.empty());
}

TEST_CASE("one failing probe quarantines again for twice as long, up to the longest") {
    Fixture f;
    f.quarantine();
    double now = 0;
    std::vector<double> waits;
    for (int i = 0; i < 6; ++i) {
        waits.push_back(f.until() - now);
        now = f.until();
        REQUIRE(f.breaker.turn(at(now)) == Breaker::Turn::probe);
        f.answer(now, 2);
        f.breaker.failed(i % 2 == 0 ? kLost : kAlive, at(now), kMiddle);
        REQUIRE(f.state() == BreakerState::quarantined);
    }
    CHECK(waits == std::vector<double>{32, 64, 128, 256, 300, 300});
    CHECK(f.breaker.record().changed_at == at(0));  // out since then, whatever the probes said
}

TEST_CASE("a rule that fell lately falls deeper") {
    Fixture f;
    f.quarantine();
    CHECK(f.breaker.turn(at(32)) == Breaker::Turn::probe);
    f.answer(32, 3);
    f.lose(100);
    CHECK(f.state() == BreakerState::backing_off);
    CHECK(f.until() == 132);
    f.lose(200);
    CHECK(f.until() == 264);
    f.lose(300);
    CHECK(f.state() == BreakerState::quarantined);
    CHECK(f.until() == 428);
}

TEST_CASE("answers and failures of a quarantined rule change nothing: it was asked before it fell") {
    Fixture f;
    f.quarantine();
    const auto before = f.breaker.record();
    f.answer(1, 100);
    f.lose(2);
    f.breaker.failed(failure(FailureWeight::violation), at(3), kMiddle);
    CHECK(f.breaker.record() == before);
}

TEST_CASE("an answer while it backs off ends that") {
    Fixture f;
    f.lose(0);
    f.lose(0);
    f.answer(0.5);
    CHECK(f.state() == BreakerState::suspect);
    CHECK(f.breaker.record().until == core::Instant{});
    CHECK(f.breaker.turn(at(0.6)) == Breaker::Turn::ask);
}

TEST_CASE("a released rule is healthy and remembers nothing but its name") {
    Fixture f;
    f.quarantine();
    f.breaker.release(at(5));
    auto expected = fresh();
    expected.changed_at = at(5);
    CHECK(f.breaker.record() == expected);
    CHECK(f.breaker.turn(at(5)) == Breaker::Turn::ask);
    f.lose(6);
    CHECK(f.state() == BreakerState::suspect);
}

TEST_CASE("a breaker goes on where its record stopped") {
    Fixture f;
    f.quarantine();
    Breaker again{f.settings, f.breaker.record()};
    CHECK(again.turn(at(31)) == Breaker::Turn::wait);
    CHECK(again.turn(at(32)) == Breaker::Turn::probe);
    again.answered(at(32));
    Breaker third{f.settings, again.record()};
    CHECK(third.probes_left() == 2);
}

TEST_CASE("a clock that was set back does not keep a rule out for ever") {
    Fixture f;
    f.quarantine();
    CHECK(f.breaker.turn(at(-1'000'000)) == Breaker::Turn::wait);
    CHECK(f.until() == -1'000'000 + 360);
    CHECK(f.breaker.turn(at(-1'000'000 + 360)) == Breaker::Turn::probe);
}

TEST_CASE("lost workers of a future that the clock took back are forgotten") {
    Fixture f;
    for (int i = 0; i < 4; ++i) {
        f.lose(1000);
        f.answer(1000, 10);
    }
    f.lose(0);
    CHECK(f.breaker.record().recent == std::vector{at(0)});
}

TEST_CASE("a record with an impossible level is no reason to overflow") {
    Breaker::Settings settings;
    settings.max_back_off = 86'400s;
    settings.first_back_off = 86'400s;
    auto record = fresh();
    record.state = BreakerState::suspect;
    record.level = 4'000'000'000;
    Breaker breaker{settings, record};
    breaker.failed(kLost, at(0), kMiddle);
    CHECK(breaker.record().until == at(86'400));
}
