#pragma once
#include "wire/message.hpp"
#include "wire/setup_message.hpp"

#include <optional>

#include <varde/job.h>

namespace varde::worker {

/// Opens the library behind `fd` with everything that this runs (constructors, IFUNC resolvers), finds its entry and compares it with
/// what the host read from the file. Never closed again: a version is a process. Returns why it cannot be used, or nullopt and `entry`.
[[nodiscard]] std::optional<wire::Fault> load_rule_library(int fd, const wire::SetupPlugin& setup, varde_rule_entry& entry);

/// The same for a library that exports a job.
[[nodiscard]] std::optional<wire::Fault> load_job_library(int fd, const wire::SetupPlugin& setup, varde_job_entry& entry);

}  // namespace varde::worker
