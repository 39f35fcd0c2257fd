#pragma once
#include <string>

namespace varde::schedule {

/// 32 hexadecimal digits. A host names itself so at every start: host names may be shared, and come again.
[[nodiscard]] std::string random_id();
/// For people: "kitchen-pi (pid 4711)".
[[nodiscard]] std::string host_name();

}  // namespace varde::schedule
