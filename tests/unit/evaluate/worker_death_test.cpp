#include "evaluate/worker_death.hpp"

#include <doctest/doctest.h>

#include <sys/syscall.h>
#include <csignal>
#include <string>

using namespace varde;
using core::FailureReason;
using evaluate::failure_of;
using evaluate::Obituary;

namespace {

Obituary killed_by(int signal) {
    Obituary obituary;
    obituary.exit = {true, signal, false};
    obituary.memory_bytes = 64 << 20;
    return obituary;
}

}  // namespace

TEST_CASE("the kernel's word decides, the worker's own words only tell cases of one signal apart") {
    CHECK(failure_of(killed_by(SIGSEGV)).reason == FailureReason::segmentation_fault);
    auto overflow = killed_by(SIGSEGV);
    overflow.crash.signal = SIGSEGV;
    overflow.crash.near_stack = 1;
    CHECK(failure_of(overflow).reason == FailureReason::stack_overflow);
    auto exhausted = killed_by(SIGSEGV);
    exhausted.crash.signal = SIGSEGV;
    exhausted.crash.memory_exhausted = 1;
    CHECK(failure_of(exhausted).reason == FailureReason::out_of_memory);
    // A record of another signal is not about this death: a rule could have written it.
    auto forged = killed_by(SIGABRT);
    forged.crash = overflow.crash;
    CHECK(failure_of(forged).reason == FailureReason::aborted);
    CHECK(failure_of(killed_by(SIGFPE)).reason == FailureReason::crashed);
    CHECK(failure_of(killed_by(SIGSYS)).reason == FailureReason::violation);
}

TEST_CASE("a forbidden call is named") {
    auto violation = killed_by(SIGSYS);
    violation.crash.signal = SIGSYS;
    violation.crash.syscall = SYS_socket;
    CHECK(failure_of(violation).message.find("socket") != std::string::npos);
    violation.crash.syscall = 9999;
    CHECK(failure_of(violation).message.find("9999") != std::string::npos);
}

TEST_CASE("exit code 0 in the middle of an evaluation is a failure too") {
    Obituary obituary;
    obituary.exit = {false, 0, false};
    const auto failed = failure_of(obituary);
    CHECK(failed.reason == FailureReason::exited);
    CHECK(failed.exit_code == 0);
    CHECK(failed.signal == 0);
}

TEST_CASE("killed at the deadline is deadline, whatever else was going on") {
    auto obituary = killed_by(SIGKILL);
    obituary.kill = Obituary::Kill::deadline;
    obituary.limit = std::chrono::milliseconds{250};
    CHECK(failure_of(obituary).reason == FailureReason::deadline);
    CHECK(failure_of(obituary).message.find("250 ms") != std::string::npos);
}

TEST_CASE("messages are one line of UTF-8 of bounded length") {
    CHECK(evaluate::clean_message("a\nb\x1b") == "a b ");
    CHECK(evaluate::clean_message("ærlig") == "ærlig");
    CHECK(evaluate::clean_message("\xff ok").front() == '?');
    const std::string cut = evaluate::clean_message(std::string(3999, 'x') + "æøå");
    CHECK(cut.size() == 3999);
}
