#include "evaluate/worker_deadline.hpp"

#include <doctest/doctest.h>

using namespace varde;
using namespace std::chrono_literals;
using evaluate::CpuShare;
using evaluate::WorkerDeadline;
using Verdict = WorkerDeadline::Verdict;

namespace {

const WorkerDeadline::Instant kBegin{1h};

/// A worker whose CPU share is set by hand.
struct Scripted {
    CpuShare share;
    WorkerDeadline deadline{100ms, kBegin};
    Verdict at(std::chrono::milliseconds after, std::chrono::milliseconds cpu, std::chrono::milliseconds delay) {
        share = {cpu, delay};
        return deadline.judge(kBegin + after, [this] { return share; });
    }
};

}  // namespace

TEST_CASE("a rule that computes is late at its timeout, not before") {
    Scripted worker;
    CHECK(worker.deadline.due() == kBegin + 50ms);
    CHECK(worker.at(50ms, 50ms, 0ms) == Verdict::wait);
    CHECK(worker.deadline.due() == kBegin + 100ms);
    CHECK(worker.at(99ms, 99ms, 0ms) == Verdict::wait);
    CHECK(worker.at(100ms, 100ms, 0ms) == Verdict::expired);
}

TEST_CASE("a rule that sleeps is late at its timeout although it used no CPU") {
    Scripted worker;
    CHECK(worker.at(50ms, 0ms, 0ms) == Verdict::wait);
    CHECK(worker.at(100ms, 0ms, 0ms) == Verdict::expired);
}

TEST_CASE("the time that the machine kept a worker waiting is given back, doubled for the half that nobody measured") {
    Scripted worker;
    CHECK(worker.at(50ms, 5ms, 40ms) == Verdict::wait);
    CHECK(worker.at(100ms, 10ms, 80ms) == Verdict::wait);
    CHECK(worker.deadline.due() == kBegin + 180ms);
    CHECK(worker.at(180ms, 100ms, 85ms) == Verdict::expired);
}

TEST_CASE("at three times the timeout a worker without CPU was starved, not slow") {
    Scripted worker;
    CHECK(worker.at(50ms, 1ms, 49ms) == Verdict::wait);
    CHECK(worker.at(100ms, 2ms, 98ms) == Verdict::wait);
    CHECK(worker.at(198ms, 3ms, 190ms) == Verdict::wait);
    CHECK(worker.deadline.due() == kBegin + 300ms);
    CHECK(worker.at(300ms, 4ms, 290ms) == Verdict::starved);
}

TEST_CASE("a worker that spins on a busy machine gets its CPU time, no more") {
    Scripted worker;
    CHECK(worker.at(50ms, 10ms, 40ms) == Verdict::wait);
    CHECK(worker.at(100ms, 20ms, 80ms) == Verdict::wait);
    CHECK(worker.at(180ms, 60ms, 120ms) == Verdict::expired);
}

TEST_CASE("looked at too late, a deadline is judged at once") {
    Scripted worker;
    CHECK(worker.at(250ms, 1ms, 0ms) == Verdict::expired);
}

TEST_CASE("every item has a deadline of its own") {
    Scripted worker;
    CHECK(worker.at(90ms, 90ms, 0ms) == Verdict::wait);
    worker.deadline.restart(kBegin + 80ms, 40ms);
    CHECK(worker.deadline.due() == kBegin + 100ms);
    CHECK(worker.at(100ms, 100ms, 0ms) == Verdict::wait);
    CHECK(worker.at(120ms, 120ms, 0ms) == Verdict::expired);
}
