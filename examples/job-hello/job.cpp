// J-hello: greets. Counts up to `count`, and stops early with what it has when its time is nearly over.
#include <varde/job.hpp>

namespace {

std::string greet(const varde::Job& job) {
    const auto name = job.params().get_str("name", "world");
    const auto count =
        job.params().get_int("count", 1, 1, 1'000'000'000);  // default, lowest, highest; else the run fails for good
    const auto fail_until = job.params().get_int("fail_until", 0, 0, 100);
    if (job.attempt() <= fail_until) throw std::runtime_error("not yet, this is attempt " + std::to_string(job.attempt()));
    int64_t greeted = 0;
    while (greeted < count && !(greeted % 1000 == 999 && job.should_stop())) ++greeted;
    job.log("greeted " + std::to_string(greeted) + " times");
    return R"({"greeting": )" + varde::json_text("hello, " + name) + R"(, "times": )" + std::to_string(greeted) + "}";
}

}  // namespace

VARDE_JOB(greet, "J-hello", "1.0.0")
