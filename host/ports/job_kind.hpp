#pragma once
#include "core/error.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"

#include <stop_token>
#include <string>
#include <string_view>

namespace varde::ports {

/// What a job is told about the attempt that it makes.
struct JobCall {
    const core::Run& run;
    const core::Schedule& schedule;
    std::string params;  ///< JSON object: the schedule's params with the run's input merged over them (RFC 7386)
    /// The same for every attempt of a slot: "nightly/1/2026-01-15T03:00:00Z/scheduled". For what is done outside to be done once.
    std::string slot_key;
    /// Higher for every attempt of a slot, on whatever host: a store outside can refuse what a host that was given up still writes.
    std::string fence;
    std::stop_token stop;  ///< the attempt is over (run_timeout, cancelled, lease lost, host stopping): return soon
};

struct JobAnswer {
    bool ok = true;
    std::string error;   ///< if not ok: why, in words; never a secret
    std::string result;  ///< JSON to keep with the run, at most 64 KiB, or empty
    bool retry = true;   ///< if not ok: another attempt may help
};

/// What a schedule can run. Thread-safe: run() is called on several worker threads at once, and may block until its call's stop is
/// requested.
class JobKind {
  public:
    virtual ~JobKind() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;  ///< "http"; 1..100 of a-z 0-9 . _ -
    /// One line for people.
    [[nodiscard]] virtual std::string_view summary() const = 0;
    /// Whether it can work with these params (JSON object); Errc::invalid_argument names the key: "params.url: ...".
    [[nodiscard]] virtual core::Result<void> check(const std::string& params) const = 0;
    /// Whether, with these params, it touches what is not its organisation's alone (other organisations' data, secrets of the host). Only
    /// who is limited to no organisation may make or change such a schedule.
    [[nodiscard]] virtual bool reaches_beyond_org(const std::string& /*params*/) const { return false; }
    /// Exceptions count as a failure with their what().
    [[nodiscard]] virtual JobAnswer run(const JobCall& call) = 0;
};

}  // namespace varde::ports
