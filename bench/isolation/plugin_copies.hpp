#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace varde::bench {

/// A folder with many copies of one plugin, each with a rule id of its own. Removed at the end of its life.
class PluginCopies {
  public:
    /// `file` says its rule id, which ends in 0000, in its note and its entry; copy 17 says the same with 0017. Ends the program on an
    /// error.
    PluginCopies(const std::filesystem::path& file, const std::string& rule_id, std::size_t copies);
    ~PluginCopies();
    PluginCopies(const PluginCopies&) = delete;
    PluginCopies& operator=(const PluginCopies&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    std::filesystem::path folder_;
};

}  // namespace varde::bench
