#pragma once
#include "core/instant.hpp"
#include "ports/job_kind.hpp"

#include <cstdint>
#include <stop_token>
#include <string>

namespace varde::ports {

/// One attempt of a job that a library of plugins/ exports (varde/job.h).
struct LibraryRun {
    std::string job_id;
    std::string params;    ///< JSON object, for the job
    std::string slot_key;  ///< JobCall::slot_key
    core::Instant nominal_at;
    int attempt = 1;
    core::Microseconds run_timeout{};  ///< what the job is told; the end comes from `stop`
    std::uint64_t memory_mb = 128;
    std::stop_token stop;
};

/// Runs jobs that libraries export, each attempt in a sandboxed process of its own.
class JobLibraries {
  public:
    virtual ~JobLibraries() = default;
    /// Blocks until the job answers, fails, or `stop` was requested. Thread-safe. A library that was added or replaced since the last call
    /// is used.
    [[nodiscard]] virtual JobAnswer run(const LibraryRun& run) = 0;
};

}  // namespace varde::ports
