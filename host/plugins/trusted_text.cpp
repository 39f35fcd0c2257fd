#include "plugins/trusted_text.hpp"

#include "config/file_text.hpp"
#include "plugins/file_stamp.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/stat.h>

namespace varde::plugins {

core::Result<std::string> trusted_text(const std::filesystem::path& file, std::string_view setting) {
    const auto wrong = [&](core::Errc code, std::string_view what) {
        return core::fail(code, fmt::format("{} {}: {}", setting, file.string(), what));
    };
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return wrong(core::Errc::io_failed, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return wrong(core::Errc::config_invalid, "is not a regular file");
    if (const auto why = distrust_of_owner(info, file.string()); !why.empty()) return wrong(core::Errc::config_invalid, why);
    auto text = config::file_text(file);
    if (!text) return core::fail(text.error().code, fmt::format("{}: {}", setting, text.error().context));
    return text;
}

}  // namespace varde::plugins
