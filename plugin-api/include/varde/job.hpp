/// The C++ layer over varde/job.h, header-only, C++20. A job is a function from its call to the JSON that is kept with the run:
///
///     std::string greet(const varde::Job& job) {
///         return R"({"greeting": )" + varde::json_text("hello, " + job.params().get_str("name", "world")) + "}";
///     }
///     VARDE_JOB(greet, "J-hello", "1.0.0")
///
/// What it throws is caught at the edge and makes the attempt a failure, which is tried again as the schedule says; varde::GiveUp and
/// varde::ParamError one that is not. It runs on one thread of a process of its own, once.
#pragma once
#include <varde/job.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include <varde/params.hpp>
#include <varde/rule.hpp>

namespace varde {

/// The job failed, and another attempt would not help.
class GiveUp : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// `text` as a JSON string with its quotes. `text` is UTF-8.
inline std::string json_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

/// One attempt: what it is told, and what it can say meanwhile. Valid until the job's function returns.
class Job {
  public:
    Job(const varde_job_call& call, const varde_job_sink& sink) : call_(&call), sink_(&sink) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    /// Root of `params.params` of the schedule, an object.
    [[nodiscard]] Value params() const { return Value(*call_->params); }
    /// The same as JSON text.
    [[nodiscard]] std::string_view params_text() const { return {call_->params_text, call_->params_length}; }
    /// 1, 2, ...
    [[nodiscard]] uint32_t attempt() const { return call_->attempt; }
    /// The same for every attempt of a slot.
    [[nodiscard]] std::string_view slot() const { return {call_->slot, call_->slot_length}; }
    /// Microseconds since 1970, UTC: the slot's own time; when this attempt began; when it is ended, ready or not.
    [[nodiscard]] int64_t nominal_us() const { return call_->nominal_us; }
    [[nodiscard]] int64_t now_us() const { return call_->now_us; }
    [[nodiscard]] int64_t deadline_us() const { return call_->deadline_us; }
    /// Nine tenths of the time are used up, or the run was cancelled: return soon, with what there is.
    [[nodiscard]] bool should_stop() const { return sink_->should_stop(sink_->ctx) != 0; }

    /// Keeps JSON with the run, also if the job then fails. What the function returns replaces it.
    void result(std::string_view json) const {
        if (sink_->result(sink_->ctx, json.data(), static_cast<uint32_t>(json.size())) < 0)
            throw GiveUp("the result has " + std::to_string(json.size()) + " bytes, and " +
                         std::to_string(VARDE_MAX_RESULT_BYTES) + " are kept");
    }
    /// A line for the host's log. `level`: VARDE_LOG_*.
    void log(std::string_view text, int32_t level = VARDE_LOG_INFO) const {
        sink_->log(sink_->ctx, level, text.data(), static_cast<uint32_t>(text.size()));
    }

  private:
    const varde_job_call* call_;
    const varde_job_sink* sink_;
};

namespace detail {

/// The one function of a job. Nothing thrown by `function` gets out of it.
template <auto function>
int32_t run_job(const varde_job_call* call, const varde_job_sink* sink) noexcept {
    const auto fail = [sink](const std::string& text) { sink->fail(sink->ctx, text.data(), static_cast<uint32_t>(text.size())); };
    try {
        const Job job(*call, *sink);
        const std::string result = function(job);
        if (!result.empty()) job.result(result);
        return VARDE_JOB_DONE;
    } catch (const ParamError& error) {
        fail("params." + (error.path().empty() ? std::string() : error.path() + ": ") + error.what());
        return VARDE_JOB_GIVE_UP;
    } catch (const GiveUp& error) {
        fail(error.what());
        return VARDE_JOB_GIVE_UP;
    } catch (...) {
        fail(exception_text());
        return VARDE_JOB_FAILED;
    }
}

constexpr varde_job_entry make_job_entry(const char* id, const char* version, const char* sdk,
                                         int32_t (*run)(const varde_job_call*, const varde_job_sink*)) {
    varde_job_entry entry{};
    entry.magic = VARDE_JOB_MAGIC;
    entry.struct_size = sizeof entry;
    entry.abi_major = VARDE_JOB_ABI_MAJOR;
    entry.abi_minor_needed = VARDE_JOB_ABI_MINOR;
    entry.job_id = id;
    entry.version = version;
    entry.sdk = sdk;
    entry.run = run;
    return entry;
}

}  // namespace detail
}  // namespace varde

/// Makes the library a job: exports its entry and writes its note. Once, at file scope. `function`: std::string(const varde::Job&).
#define VARDE_JOB(function, id, version)           \
    VARDE_JOB_NOTE(id, version, VARDE_SDK);        \
    constinit const varde_job_entry varde_job_v1 = \
        varde::detail::make_job_entry(id, version, VARDE_SDK, &varde::detail::run_job<function>);
