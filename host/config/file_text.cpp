#include "config/file_text.hpp"

#include <fmt/format.h>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace varde::config {

core::Result<std::string> file_text(const std::filesystem::path& file) {
    constexpr std::size_t kMost = 1u << 20;
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        return core::fail(core::Errc::io_failed, fmt::format("{}: is a directory, not a file", file.string()));
    }
    std::ifstream in{file, std::ios::binary};
    if (!in)
        return core::fail(core::Errc::io_failed, fmt::format("{}: cannot be opened: {}", file.string(), std::strerror(errno)));
    std::string text(kMost + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return core::fail(core::Errc::io_failed, fmt::format("{}: cannot be read", file.string()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMost) {
        return core::fail(core::Errc::config_invalid,
                          fmt::format("{}:1:1: the file is larger than {} bytes", file.string(), kMost));
    }
    return text;
}

}  // namespace varde::config
