#include "evaluate/rollout.hpp"

#include <doctest/doctest.h>

using namespace varde;
using core::FailureReason;
using evaluate::Candidate;
using evaluate::Probation;
using Stage = Candidate::Stage;

namespace {

core::Verdict sound() { return core::Completed{}; }
core::Verdict failed(FailureReason reason) {
    core::Failed failure;
    failure.reason = reason;
    return failure;
}

Candidate in_shadow(int windows) {
    Candidate candidate;
    candidate.passed_trial({}, true, windows);
    return candidate;
}

}  // namespace

TEST_CASE("after its trial a version is shown live windows if there is one in use to show them beside") {
    CHECK(in_shadow(3).stage == Stage::shadow);
    CHECK(in_shadow(0).stage == Stage::ready);
    Candidate first;
    first.passed_trial({}, false, 3);
    CHECK(first.stage == Stage::ready);
}

TEST_CASE("a version is ready once it has seen its windows, however many one run has") {
    auto candidate = in_shadow(3);
    CHECK(candidate.takes_window());
    CHECK(candidate.takes_window());
    candidate.run_passed();
    CHECK(candidate.stage == Stage::shadow);
    CHECK(candidate.takes_window());
    CHECK_FALSE(candidate.takes_window());
    candidate.run_passed();
    CHECK(candidate.stage == Stage::ready);
    CHECK_FALSE(candidate.takes_window());
}

TEST_CASE("runs that had no window for it count too: a rule that is switched off is replaced all the same") {
    auto candidate = in_shadow(2);
    candidate.run_passed();
    CHECK(candidate.stage == Stage::shadow);
    candidate.run_passed();
    CHECK(candidate.stage == Stage::ready);
}

TEST_CASE("one live window that a version cannot take turns it down, with the reason") {
    auto candidate = in_shadow(3);
    CHECK(candidate.takes_window());
    candidate.saw(sound());
    candidate.saw(failed(FailureReason::deadline));
    CHECK(candidate.stage == Stage::refused);
    REQUIRE(candidate.failure.has_value());
    CHECK(candidate.failure->reason == FailureReason::deadline);
    candidate.run_passed();
    CHECK(candidate.stage == Stage::refused);
}

TEST_CASE("what the machine did, and errors a rule reports itself, speak against no version") {
    for (const auto reason : {FailureReason::starved, FailureReason::spawn_failed, FailureReason::input_too_large,
                              FailureReason::not_loaded, FailureReason::quarantined, FailureReason::rule_error}) {
        CAPTURE(core::name_of(reason));
        CHECK(evaluate::fault_of_version(failed(reason)) == nullptr);
    }
    for (const auto reason : {FailureReason::segmentation_fault, FailureReason::violation, FailureReason::bad_result,
                              FailureReason::exception_escaped, FailureReason::out_of_memory, FailureReason::log_flood}) {
        CAPTURE(core::name_of(reason));
        const auto verdict = failed(reason);
        CHECK(evaluate::fault_of_version(verdict) == &std::get<core::Failed>(verdict));
    }
    CHECK(evaluate::fault_of_version(sound()) == nullptr);
}

TEST_CASE("probation ends after so many sound evaluations, or with the first fault") {
    Probation good{{}, 3, {}};
    good.saw(sound());
    good.saw(failed(FailureReason::starved));
    CHECK_FALSE(good.is_over());
    good.saw(sound());
    CHECK(good.is_over());
    good.saw(failed(FailureReason::aborted));
    CHECK(good.is_over());

    Probation bad{{}, 3, {}};
    bad.saw(sound());
    bad.saw(failed(FailureReason::aborted));
    bad.saw(sound());
    CHECK_FALSE(bad.is_over());
    REQUIRE(bad.failure.has_value());
    CHECK(bad.failure->reason == FailureReason::aborted);
}
