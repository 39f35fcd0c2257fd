#include "jobs/noop_job.hpp"

#include "config/schedule_definition.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;

struct Wish {
    core::Microseconds sleep{0};
    std::string fail;
    bool throws = false;
};

core::Result<Wish> read(const std::string& text) {
    const auto params = nlohmann::json::parse(text, nullptr, false);
    if (!params.is_object()) return core::fail(Errc::invalid_argument, "params: must be an object");
    Wish wish;
    for (const auto& [key, value] : params.items()) {
        if (key == "sleep") {
            const auto sleep = config::read_duration(value);
            if (!sleep) return core::fail(sleep.error().code, "params.sleep: " + sleep.error().context);
            if (*sleep > std::chrono::days{1}) return core::fail(Errc::invalid_argument, "params.sleep: must be at most 1d");
            wish.sleep = *sleep;
        } else if (key == "fail" && value.is_string()) {
            wish.fail = value.get<std::string>();
        } else if (key == "throw" && value.is_boolean()) {
            wish.throws = value.get<bool>();
        } else {
            return core::fail(Errc::invalid_argument,
                              "params." + key + R"(: noop takes "sleep", "fail" (text) and "throw" (boolean))");
        }
    }
    return wish;
}

void sleep_for(core::Microseconds duration, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any asleep;
    std::unique_lock lock{mutex};
    asleep.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace

core::Result<void> NoopJob::check(const std::string& params) const {
    if (const auto wish = read(params); !wish) return tl::unexpected{wish.error()};
    return {};
}

ports::JobAnswer NoopJob::run(const ports::JobCall& call) {
    const auto wish = read(call.params);
    if (!wish) return {false, wish.error().context, {}, false};
    if (wish->sleep.count() > 0) sleep_for(wish->sleep, call.stop);
    if (call.stop.stop_requested()) return {false, "stopped", {}, true};
    if (wish->throws) throw std::runtime_error{wish->fail.empty() ? "thrown by a noop job" : wish->fail};
    if (!wish->fail.empty()) return {false, wish->fail, {}, true};
    return {};
}

}  // namespace varde::jobs
