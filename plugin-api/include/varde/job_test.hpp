/// Unit-test a job without a host, a process or a framework:
///
///     const auto end = varde::test::run_job({.params = R"({"name": "Ada"})"});
///     CHECK(end.done);
///     CHECK(end.result == R"({"greeting": "hello, Ada"})");
///
/// The job is compiled into the test.
#pragma once
#include <varde/job.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <varde/testing/params_memory.hpp>
#include <varde/testing/time.hpp>

namespace varde::test {

/// What a job is told. Times are ISO 8601.
struct JobCall {
    std::string params = "{}";  ///< a JSON object
    uint32_t attempt = 1;
    std::string nominal = "2026-01-15T03:00:00Z";
    std::string now = "2026-01-15T03:00:01Z";
    int64_t timeout_us = 60'000'000;
    std::string slot = "test/1/2026-01-15T03:00:00Z/scheduled";
    uint32_t stop_after = UINT32_MAX;  ///< should_stop() says so from this question on, counted from 0
};

/// What came of it, as the host would see it.
struct JobEnd {
    bool done = false;
    bool give_up = false;  ///< no other attempt is made
    std::string error;     ///< why not
    std::string result;    ///< JSON; empty: none
    std::vector<std::string> log;
};

/// Runs one attempt. Throws std::runtime_error if the job breaks the contract of varde/job.h: a result that is no JSON.
[[nodiscard]] inline JobEnd run_job(const JobCall& given = {}, const varde_job_entry& entry = varde_job_v1) {
    struct Heard {
        JobEnd end;
        uint32_t asked = 0;
        uint32_t stop_after = 0;
    } heard{{}, 0, given.stop_after};
    varde_job_sink sink{};
    sink.struct_size = sizeof sink;
    sink.ctx = &heard;
    sink.result = [](void* ctx, const char* json, uint32_t length) -> int32_t {
        if (length > VARDE_MAX_RESULT_BYTES) return VARDE_E_LIMIT;
        static_cast<Heard*>(ctx)->end.result = length == 0 ? std::string() : std::string(json, length);
        return VARDE_OK;
    };
    sink.fail = [](void* ctx, const char* text, uint32_t length) -> int32_t {
        static_cast<Heard*>(ctx)->end.error.assign(text, std::min(length, 2000u));
        return VARDE_OK;
    };
    sink.log = [](void* ctx, int32_t, const char* text, uint32_t length) {
        static_cast<Heard*>(ctx)->end.log.emplace_back(text, length);
    };
    sink.should_stop = [](void* ctx) -> uint32_t {
        auto& all = *static_cast<Heard*>(ctx);
        return all.asked++ >= all.stop_after ? 1u : 0u;
    };
    sink.query = [](void*, const char*) -> const void* { return nullptr; };

    const ParamsMemory params(given.params);
    varde_job_call call{};
    call.struct_size = sizeof call;
    call.attempt = given.attempt;
    call.nominal_us = time_from(given.nominal);
    call.now_us = time_from(given.now);
    call.deadline_us = call.now_us + given.timeout_us;
    call.params = &params.params();
    call.params_text = given.params.data();
    call.params_length = static_cast<uint32_t>(given.params.size());
    call.slot = given.slot.data();
    call.slot_length = static_cast<uint32_t>(given.slot.size());
    const int32_t status = entry.run(&call, &sink);
    heard.end.done = status >= 0;
    heard.end.give_up = status == VARDE_JOB_GIVE_UP;
    if (!heard.end.result.empty()) static_cast<void>(JsonReader::read(heard.end.result));  // throws
    return heard.end;
}

}  // namespace varde::test
