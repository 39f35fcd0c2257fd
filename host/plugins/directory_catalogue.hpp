#pragma once
#include "plugins/plugin_file.hpp"
#include "ports/plugin_catalogue.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace varde::plugins {

/// The *.so files directly in a folder. Files whose identity (device, inode, size, times) did not change since the last scan keep their
/// sealed bytes and their verdict. Of two files with one rule id neither is used.
class DirectoryCatalogue final : public ports::PluginCatalogue {
  public:
    explicit DirectoryCatalogue(std::filesystem::path folder) : folder_{std::move(folder)} {}
    /// Errc::io_failed: the folder cannot be read. A folder that does not exist is an error, an empty one is not.
    core::Result<ports::Catalogue> scan() override;

  private:
    struct Identity {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t changed_ns = 0;  ///< ctime: rename and chmod move it too
        std::int64_t modified_ns = 0;
        friend bool operator==(const Identity&, const Identity&) = default;
    };
    struct Known {
        Identity identity;
        tl::expected<ports::Plugin, ports::RejectedPlugin> verdict;
    };
    std::filesystem::path folder_;
    std::map<std::string, Known> known_;  ///< by path
};

}  // namespace varde::plugins
