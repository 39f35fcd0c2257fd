#include "schedule/attempt_end.hpp"

#include "due_fixture.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using core::RunState;
using core::SlotReason;
using schedule::Stopped;

namespace {

const core::Instant begun = due::at("2026-01-15T12:00:00Z");
const core::Instant over = due::at("2026-01-15T12:00:05Z");

ports::ClaimedRun attempt(int number, int most) {
    ports::ClaimedRun claimed;
    claimed.run.run_id = 17;
    claimed.run.attempt = number;
    claimed.schedule.policy.retry.max_attempts = most;
    return claimed;
}

ports::FinishedRun failed(int number, int most, bool retry = true) {
    return schedule::ended(attempt(number, most), ports::JobAnswer{false, "no disk", {}, retry}, std::nullopt, begun, over);
}

}  // namespace

TEST_CASE("a job that says so has succeeded, with its answer and its times") {
    const auto end = schedule::ended(attempt(1, 1), ports::JobAnswer{true, {}, R"({"n":1})", true}, std::nullopt, begun, over);
    CHECK(end.run_id == 17);
    CHECK(end.state == RunState::success);
    CHECK(end.reason == SlotReason::none);
    CHECK(end.result == R"({"n":1})");
    CHECK(end.started_at == begun);
    CHECK(end.finished_at == over);
}

TEST_CASE("a failed attempt is tried again until none is left, and is then failed; never a success") {
    CHECK(failed(1, 3).state == RunState::pending);
    CHECK(failed(1, 3).reason == SlotReason::retry);
    CHECK(failed(1, 3).error == "no disk");
    CHECK(failed(2, 3).state == RunState::pending);
    CHECK(failed(3, 3).state == RunState::failed);
    CHECK(failed(3, 3).reason == SlotReason::none);
    CHECK(failed(1, 1).state == RunState::failed);
}

TEST_CASE("what another attempt cannot help is not tried again") { CHECK(failed(1, 3, false).state == RunState::failed); }

TEST_CASE("an attempt that is stopped ends by what stopped it") {
    const auto late = schedule::ended(attempt(1, 1), std::nullopt, Stopped::timed_out, begun, over);
    CHECK(late.state == RunState::timed_out);
    CHECK(late.reason == SlotReason::timed_out);
    CHECK(late.error == "not over after 600 s");
    CHECK(schedule::ended(attempt(1, 2), std::nullopt, Stopped::timed_out, begun, over).state == RunState::pending);
    const auto cancelled =
        schedule::ended(attempt(1, 5), ports::JobAnswer{false, "stopped", {}, true}, Stopped::cancelled, begun, over);
    CHECK(cancelled.state == RunState::cancelled);
    CHECK(cancelled.reason == SlotReason::cancelled);
    const auto stopping = schedule::ended(attempt(1, 1), std::nullopt, Stopped::host_stopping, begun, over);
    CHECK(stopping.state == RunState::cancelled);
    CHECK(stopping.reason == SlotReason::stopping);
    const auto resumed = schedule::ended(attempt(1, 2), std::nullopt, Stopped::host_stopping, begun, over);
    CHECK(resumed.state == RunState::pending);
    CHECK(resumed.reason == SlotReason::stopping);
}

TEST_CASE("a job that comes to its end although it was to be stopped has come to its end, but not past its time") {
    const ports::JobAnswer well{true, {}, {}, true};
    CHECK(schedule::ended(attempt(1, 1), well, Stopped::cancelled, begun, over).state == RunState::success);
    CHECK(schedule::ended(attempt(1, 1), well, Stopped::timed_out, begun, over).state == RunState::timed_out);
}

TEST_CASE("a run whose host went away has another attempt, or is abandoned, or ends as somebody wanted") {
    CHECK(schedule::owner_lost(attempt(1, 1), over).state == RunState::abandoned);
    CHECK(schedule::owner_lost(attempt(1, 2), over).state == RunState::pending);
    CHECK(schedule::owner_lost(attempt(1, 2), over).reason == SlotReason::owner_lost);
    auto cancelled = attempt(1, 2);
    cancelled.run.cancel_requested = true;
    CHECK(schedule::owner_lost(cancelled, over).state == RunState::cancelled);
}

TEST_CASE("the wait before an attempt doubles up to its bound, with a part of it that differs from run to run") {
    core::RetryPolicy policy;
    policy.backoff = 10s;
    policy.max_backoff = 25s;
    for (std::int64_t run = 1; run < 200; ++run) {
        CHECK(schedule::retry_at(policy, run, 1, over) > over);
        CHECK(schedule::retry_at(policy, run, 1, over) <= over + 10s);
        CHECK(schedule::retry_at(policy, run, 2, over) <= over + 20s);
        CHECK(schedule::retry_at(policy, run, 90, over) <= over + 25s);
    }
    CHECK(schedule::retry_at(policy, 1, 1, over) != schedule::retry_at(policy, 2, 1, over));
    CHECK(schedule::retry_at(policy, 1, 1, over) == schedule::retry_at(policy, 1, 1, over));
    policy.exponential = false;
    CHECK(schedule::retry_at(policy, 1, 90, over) <= over + 10s);
    policy.backoff = 0s;
    CHECK(schedule::retry_at(policy, 1, 1, over) == over);
}

TEST_CASE("long errors are cut where a character ends, and a result that is too large is not kept") {
    ports::JobAnswer answer{false, std::string(1'999, 'x') + "åå", std::string(70'000, '1'), false};
    const auto end = schedule::ended(attempt(1, 1), answer, std::nullopt, begun, over);
    CHECK(end.error == std::string(1'999, 'x'));
    CHECK(end.result == R"({"truncated":true})");
}

TEST_CASE("what no database could keep is not kept as it is: a NUL, bytes that are no text, a result that is no JSON") {
    using namespace std::string_literals;
    const auto error_of = [](std::string error) {
        return schedule::ended(attempt(1, 1), ports::JobAnswer{false, std::move(error), "{", false}, std::nullopt, begun, over);
    };
    CHECK(error_of("a\0b"s).error == "a b");
    CHECK(error_of("a\xff").error == "a\xef\xbf\xbd");
    CHECK(error_of("Gångdør").error == "Gångdør");
    CHECK(error_of("x").result == R"({"unreadable":true})");
}
