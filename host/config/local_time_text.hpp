#pragma once
#include <string_view>

namespace varde::config {

/// Whether a rule can read `text` as a local time of day: HH, HH:MM, HH:MM:SS, HHMM or HHMMSS, also with a fraction of the second and a
/// T before it; no zone. The same as varde::read_local_time() of the plugin API, which the host does not include.
[[nodiscard]] bool is_local_time(std::string_view text);

}  // namespace varde::config
