#include "plugins/plugin_folder.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace varde::plugins {
namespace {

core::Error unreadable(const std::string& path) {
    return {core::Errc::io_failed, fmt::format("plugins_dir {}: {}", path, std::strerror(errno))};
}

FileStamp identity(const struct ::stat& info) { return {info.st_dev, info.st_ino, 0, 0, 0}; }

}  // namespace

core::Result<PluginFolder> PluginFolder::open(const std::filesystem::path& path) {
    OwnedFd fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) return tl::unexpected{unreadable(path.string())};
    if (const auto why = distrust_of_owner(info, path.string()); !why.empty())
        return core::fail(core::Errc::plugin_rejected, fmt::format("plugins_dir {}: {}", path.string(), why));
    return PluginFolder{std::move(fd), path.string(), identity(info)};
}

core::Result<std::vector<std::string>> PluginFolder::libraries() const {
    const int listed = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // closed by closedir()
    if (listed < 0) return tl::unexpected{unreadable(path_)};
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::fdopendir(listed), ::closedir};
    if (!folder) {
        ::close(listed);
        return tl::unexpected{unreadable(path_)};
    }
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const auto* entry = ::readdir(folder.get());
        if (entry == nullptr && errno != 0) return tl::unexpected{unreadable(path_)};
        if (entry == nullptr) return names;
        const std::string_view name{entry->d_name};
        if (name.ends_with(".so") && !name.starts_with('.')) names.emplace_back(name);
    }
}

FileStamp which_folder(const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? identity(info) : FileStamp{};
}

}  // namespace varde::plugins
