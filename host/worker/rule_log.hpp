#pragma once
#include "wire/control_layout.hpp"

#include <cstdint>

namespace varde::worker {

/// Counts what write_log_line() is given in header.log_bytes, for the host's limit. Before any rule runs.
void count_log_bytes(wire::ControlHeader& header);

/// One line to standard error, which the host reads when it comes by. A full pipe loses the line: a rule never waits for the host.
void write_log_line(std::int32_t level, const char* text, std::uint32_t length) noexcept;

}  // namespace varde::worker
