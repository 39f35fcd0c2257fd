#pragma once
#include "core/error.hpp"

#include <filesystem>
#include <string>

namespace varde::config {

/// The bytes of a file of at most 1 MiB. Errc::io_failed or config_invalid, starting with the file's name.
[[nodiscard]] core::Result<std::string> file_text(const std::filesystem::path& file);

}  // namespace varde::config
