#pragma once
#include "core/decision.hpp"

#include <string>

namespace varde::api {

/// One JSON object, as docs/http.md has it: HTTP and `varde --json` answer the same.
[[nodiscard]] std::string decision_json(const core::Decision& decision);

}  // namespace varde::api
