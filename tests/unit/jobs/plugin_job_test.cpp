#include "jobs/plugin_job.hpp"
#include "jobs/broker_job.hpp"

#include "job_call.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace varde;

namespace {

/// Keeps what it is asked for and gives one answer.
class Libraries final : public ports::JobLibraries {
  public:
    ports::JobAnswer run(const ports::LibraryRun& run) override {
        asked.push_back(run);
        return answer;
    }
    std::vector<ports::LibraryRun> asked;
    ports::JobAnswer answer{true, {}, R"({"n":1})", true};
};

std::string problem_of(const std::string& params) {
    Libraries libraries;
    const auto checked = jobs::PluginJob{libraries}.check(params);
    return checked ? "" : checked.error().context;
}

}  // namespace

TEST_CASE("the params of a plugin job name a job, and a mistake names its key") {
    CHECK(problem_of(R"({"job":"J-hello"})").empty());
    CHECK(problem_of(R"({"job":"J.hello_2","params":{"anything":[1,{"deep":null}]},"memory_mb":1024})").empty());
    CHECK(problem_of("{}") == R"(params.job: is missing: the id of a job in plugins_dir, such as "J-hello")");
    CHECK(problem_of(R"({"job":"../etc"})") == "params.job: must be letters, digits, '.', '_' and '-'");
    CHECK(problem_of(R"({"job":"J","params":[1]})").starts_with("params.params: must be"));
    CHECK(problem_of(R"({"job":"J","memory_mb":15})").starts_with("params.memory_mb: "));
    CHECK(problem_of(R"({"job":"J","memory_mb":1025})").starts_with("params.memory_mb: "));
    CHECK(problem_of(R"({"job":"a234567890123456789012345678901x"})").starts_with("params.job: "));
    CHECK(problem_of(R"({"job":"J","parms":{}})").starts_with("params.parms: "));
    CHECK(problem_of("[]").starts_with("params: "));
}

TEST_CASE("the library is asked with what the slot says, and its answer is the job's") {
    Libraries libraries;
    jobs::PluginJob job{libraries};
    testing::Call call;
    call.run.nominal_at = core::Instant{std::chrono::microseconds{1'768'446'000'000'000}};
    call.run.attempt = 3;
    call.schedule.policy.run_timeout = std::chrono::seconds{20};
    const auto answer = job.run(call.with(R"({"job":"J-hello","params":{"name":"Ada","list":[1,2]},"memory_mb":32})"));
    CHECK(answer.ok);
    CHECK(answer.result == R"({"n":1})");
    REQUIRE(libraries.asked.size() == 1);
    const auto& asked = libraries.asked.front();
    CHECK(asked.job_id == "J-hello");
    CHECK(asked.params == R"({"list":[1,2],"name":"Ada"})");
    CHECK(asked.slot_key == "nightly/1/2026-01-15T03:00:00Z/scheduled");
    CHECK(asked.nominal_at == call.run.nominal_at);
    CHECK(asked.attempt == 3);
    CHECK(asked.run_timeout == std::chrono::seconds{20});
    CHECK(asked.memory_mb == 32);
    CHECK_FALSE(asked.stop.stop_requested());
    call.source.request_stop();
    CHECK(asked.stop.stop_requested());
}

TEST_CASE("a job without params gets an empty object and 128 MiB") {
    Libraries libraries;
    jobs::PluginJob job{libraries};
    CHECK(job.run(testing::Call{}.with(R"({"job":"J-hello"})")).ok);
    REQUIRE(libraries.asked.size() == 1);
    CHECK(libraries.asked.front().params == "{}");
    CHECK(libraries.asked.front().memory_mb == 128);
}

TEST_CASE("params that an input has made wrong are not tried again, and no library is asked") {
    Libraries libraries;
    jobs::PluginJob job{libraries};
    const auto answer = job.run(testing::Call{}.with(R"({"job":7})"));
    CHECK_FALSE(answer.ok);
    CHECK_FALSE(answer.retry);
    CHECK(answer.error.starts_with("params.job: "));
    CHECK(libraries.asked.empty());
}

TEST_CASE("a plugin job reaches nothing beyond its organisation") {
    Libraries libraries;
    CHECK_FALSE(jobs::PluginJob{libraries}.reaches_beyond_org(R"({"job":"J-hello"})"));
}

TEST_CASE("kinds that need the broker are known by name and refuse every schedule with the reason") {
    for (const std::string name : {"publish", "remote"}) {
        jobs::BrokerJob job{name};
        CHECK(job.name() == name);
        CHECK(job.summary() == "not in this build: needs the broker");
        const auto checked = job.check("{}");
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == core::Errc::invalid_argument);
        CHECK(checked.error().context == "the kind '" + name + "' needs the broker, which this build does not have");
        const auto answer = job.run(testing::Call{}.with("{}"));
        CHECK_FALSE(answer.ok);
        CHECK_FALSE(answer.retry);
        CHECK(answer.error == checked.error().context);
    }
}
