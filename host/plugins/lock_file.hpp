#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "plugins/file_stamp.hpp"
#include "plugins/rest.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace varde::plugins {

/// Which contents a rule file may have, by its name: what `sha256sum *.so` prints. A name may stand on several lines, each of which is
/// allowed: so a new version can be announced before it replaces the old one. Folders before a name do not count.
class LockFile {
  public:
    /// Errc::io_failed or config_invalid: unreadable, writable by others, or a line "FILE:LINE: what is wrong".
    [[nodiscard]] static core::Result<LockFile> load(const std::filesystem::path& file);
    /// `name` is for errors and for refusals.
    [[nodiscard]] static core::Result<LockFile> parse(std::string_view text, std::string name);

    /// Why a file with that content must not be used, naming both hashes; nullopt if it may. `sha256` is lower-case hex.
    [[nodiscard]] std::optional<std::string> refusal(const std::string& file_name, const std::string& sha256) const;

  private:
    std::string name_;
    std::map<std::string, std::set<std::string>, std::less<>> hashes_;  ///< by file name
};

/// A lock file that may be edited while the host runs. One thread at a time.
class LockWatch {
  public:
    /// `file` empty: there is none, and everything is allowed. An edit counts when the file has rested for `quiet`.
    LockWatch(std::filesystem::path file, std::chrono::milliseconds quiet) : file_{std::move(file)}, quiet_{quiet} {}

    /// Reads it if it changed; true if it did. Errors are those of LockFile::load(); what was read before stays.
    [[nodiscard]] core::Result<bool> look(core::Instant now);
    [[nodiscard]] std::optional<std::string> refusal(const std::string& file_name, const std::string& sha256) const {
        return lock_ ? lock_->refusal(file_name, sha256) : std::nullopt;
    }

  private:
    std::filesystem::path file_;
    std::chrono::milliseconds quiet_;
    std::optional<FileStamp> seen_;
    std::optional<FileStamp> loaded_;  ///< what lock_ was read from, if that had come to rest
    Rest rest_;
    std::optional<LockFile> lock_;
};

}  // namespace varde::plugins
