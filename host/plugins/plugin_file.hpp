#pragma once
#include "plugins/rejection.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace varde::plugins {

/// A larger file is not looked at.
inline constexpr std::uint64_t kMaxFileBytes = 64ull << 20;

/// Copies a file into a sealed memfd and reads what it says of itself, without executing any of it. The file must be a regular one (not
/// through a symbolic link), owned by root or this process's user, not writable for group or others, and must not change while it is
/// copied. `more_libraries`: sonames that it may need beside those of the C and C++ libraries.
///
/// Reasons: untrusted_file (owner, mode, kind, size, changed while read, what read_library() refuses), load_failed (not an ELF shared
/// library for this machine, or without a Varde note), abi_mismatch (built for another ABI; the message names both versions and what to
/// do).
[[nodiscard]] Read<ports::Plugin> inspect(const std::filesystem::path& file, std::span<const std::string> more_libraries = {});

/// The note of an ELF image, without copying or executing anything. Every offset and size is checked against `image`.
[[nodiscard]] Read<ports::Plugin> read_note(std::span<const std::byte> image);

/// The bytes of a sealed file in memory, for reading. Empty if the kernel refuses.
class MappedFile {
  public:
    MappedFile(const ports::SealedFile& file, std::uint64_t size);
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace varde::plugins
