#pragma once
#include <cstdint>
#include <string>

struct stat;

namespace varde::plugins {

/// What tells one state of a file from another without reading it. All zero: there is no file.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;  ///< ctime, since 1970: content, rename, owner and mode move it, and nobody can set it
    std::int64_t modified_ns = 0;
    [[nodiscard]] static FileStamp of(const struct ::stat& info);
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// A rule library and its detached signature; without one the second stamp is zero.
struct FileIdentity {
    FileStamp file;
    FileStamp signature;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Why what `info` describes must not decide what runs: its owner, or that others may write to it. Empty: neither. Who may write to a
/// rule may do whatever the rule may do. `path` is for the advice.
[[nodiscard]] std::string distrust_of_owner(const struct ::stat& info, const std::string& path);

}  // namespace varde::plugins
