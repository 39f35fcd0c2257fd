#include "jobs/noop_job.hpp"

#include <doctest/doctest.h>
#include <chrono>
#include <stdexcept>

using namespace varde;

namespace {

struct Call {
    core::Run run;
    core::Schedule schedule;
    std::stop_source source;
    ports::JobCall with(const std::string& params) { return {run, schedule, params, "s/1/0/manual", "1.1", source.get_token()}; }
};

}  // namespace

TEST_CASE("a noop job succeeds, fails or throws as its params say") {
    Call call;
    jobs::NoopJob job;
    CHECK(job.run(call.with("{}")).ok);
    const auto failed = job.run(call.with(R"({"fail": "no disk"})"));
    CHECK_FALSE(failed.ok);
    CHECK(failed.error == "no disk");
    CHECK_THROWS_WITH_AS((void)job.run(call.with(R"({"throw": true, "fail": "bad"})")), "bad", std::runtime_error);
}

TEST_CASE("a noop job that sleeps ends when it is stopped") {
    Call call;
    jobs::NoopJob job;
    call.source.request_stop();
    const auto begin = std::chrono::steady_clock::now();
    CHECK(job.run(call.with(R"({"sleep": "1h"})")).error == "stopped");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::minutes{1});
}

TEST_CASE("params that a noop job cannot use are named when the schedule is made") {
    const jobs::NoopJob job;
    CHECK(job.check(R"({"sleep": "250ms", "fail": "x", "throw": false})").has_value());
    CHECK(job.check(R"({"slep": 1})").error().context.starts_with("params.slep: "));
    CHECK(job.check(R"({"sleep": "2d"})").error().context == "params.sleep: must be at most 1d");
    CHECK(job.check(R"({"sleep": "x"})").error().context.starts_with("params.sleep: "));
    CHECK(job.check("[]").error().context == "params: must be an object");
}
