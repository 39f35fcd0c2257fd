#pragma once
#include "ports/monitor_mode_repository.hpp"

#include <nlohmann/json_fwd.hpp>

namespace varde::api {

/// One JSON object, as docs/http.md has it: HTTP and `varde --json` answer the same.
[[nodiscard]] nlohmann::ordered_json monitor_mode_json(const ports::MonitorModeRow& row);

}  // namespace varde::api
