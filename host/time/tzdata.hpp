#pragma once
#include <string>

namespace varde::time {

/// The version of the time zone rules on this machine ("2026f"), as the first line of tzdata.zi in TZDIR (/usr/share/zoneinfo) has it;
/// zones are read from there when they are first asked for, and not again. Empty: there is no such file.
[[nodiscard]] std::string tzdata_version();

}  // namespace varde::time
