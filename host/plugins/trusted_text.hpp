#pragma once
#include "core/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace varde::plugins {

/// The text of a file that decides which rules run: at most 1 MiB, owned by root or this process's user, and writable for nobody else.
/// `setting` names it in errors. Errc::io_failed, config_invalid.
[[nodiscard]] core::Result<std::string> trusted_text(const std::filesystem::path& file, std::string_view setting);

}  // namespace varde::plugins
