#include <varde/job_test.hpp>

#include <cstdio>

#define CHECK(what) \
    if (!(what)) return std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), 1

int main() {
    using varde::test::run_job;

    const auto plain = run_job();
    CHECK(plain.done);
    CHECK(plain.result == R"({"greeting": "hello, world", "times": 1})");
    CHECK(plain.log.size() == 1);

    const auto quoted = run_job({.params = R"({"name": "\"Ada\"", "count": 3})"});
    CHECK(quoted.result == R"({"greeting": "hello, \"Ada\"", "times": 3})");

    const auto bad = run_job({.params = R"({"count": 0})"});
    CHECK(!bad.done && bad.give_up);
    CHECK(bad.error.find("params.count") == 0);

    const auto early = run_job({.params = R"({"fail_until": 1})"});
    CHECK(!early.done && !early.give_up);
    CHECK(early.error == "std::runtime_error: not yet, this is attempt 1");
    CHECK(run_job({.params = R"({"fail_until": 1})", .attempt = 2}).done);

    const auto stopped = run_job({.params = R"({"count": 1000000000})", .stop_after = 2});
    CHECK(stopped.result == R"({"greeting": "hello, world", "times": 2999})");
    return 0;
}
