#pragma once
#include "wire/message.hpp"
#include "wire/setup_message.hpp"

#include <optional>

#include <varde/rule.h>

namespace varde::worker {

/// Opens the library behind `fd` with everything that this runs (constructors, IFUNC resolvers), finds its entry and compares it with
/// what the host read from the file. Never closed again: a version is a process. Returns why it cannot be used, or nullopt and `entry`.
[[nodiscard]] std::optional<wire::Fault> load_rule_library(int fd, const wire::SetupPlugin& setup, varde_rule_entry& entry);

}  // namespace varde::worker
