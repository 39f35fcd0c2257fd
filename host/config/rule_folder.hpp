#pragma once
#include "core/error.hpp"

#include <filesystem>
#include <string>

namespace varde::config {

/// Which rule a folder such as plugins/R-001 holds: the `id` of its rule.yaml, or the folder's own name if it has no rule.yaml.
/// Errc::config_invalid: "FOLDER/rule.yaml:line:column: ..." if that file cannot be read or names no usable id; Errc::io_failed if
/// there is no such folder.
[[nodiscard]] core::Result<std::string> rule_id_of_folder(const std::filesystem::path& folder);

}  // namespace varde::config
