#pragma once
#include "core/error.hpp"
#include "plugins/file_stamp.hpp"
#include "plugins/owned_fd.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace varde::plugins {

/// The open plugins folder. What is found in it is opened through it, so that nobody can put another folder in its place meanwhile.
class PluginFolder {
  public:
    /// Errc::io_failed: it cannot be read; plugin_rejected: it belongs to somebody else, or others may write to it.
    [[nodiscard]] static core::Result<PluginFolder> open(const std::filesystem::path& path);

    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Which folder it is: device and inode. Its times are left out: they move with every file.
    [[nodiscard]] FileStamp which() const { return which_; }
    /// Names that end with .so and do not begin with a dot, in no order. Errc::io_failed.
    [[nodiscard]] core::Result<std::vector<std::string>> libraries() const;

  private:
    PluginFolder(OwnedFd fd, std::string path, FileStamp which) : fd_{std::move(fd)}, path_{std::move(path)}, which_{which} {}
    OwnedFd fd_;
    std::string path_;
    FileStamp which_;
};

/// Which folder a path leads to now, as PluginFolder::which() says it; zero: none.
[[nodiscard]] FileStamp which_folder(const std::filesystem::path& path);

}  // namespace varde::plugins
