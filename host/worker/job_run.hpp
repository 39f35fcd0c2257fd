#pragma once
#include "wire/control_layout.hpp"
#include "wire/message.hpp"

#include <optional>
#include <span>

#include <varde/job.h>

namespace varde::worker {

/// The life of a worker that has loaded a job library: tells how the load went, carries out the one request, answers, and ends when the
/// host closes its end of the request pipe. `fault`: why the library cannot be used; then nothing of it is called.
[[noreturn]] void serve_job(std::span<std::byte> control, std::uint32_t posture, const std::optional<wire::Fault>& fault,
                            const varde_job_entry& entry);

}  // namespace varde::worker
