#pragma once
#include <string>

namespace varde::rules {

/// A random UUID (version 4): distinct, not secret.
[[nodiscard]] std::string new_run_id();

}  // namespace varde::rules
