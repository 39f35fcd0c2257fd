#pragma once
#include "config/settings.hpp"
#include "plugins/file_stamp.hpp"
#include "plugins/rejection.hpp"
#include "plugins/signature.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::plugins {

/// A larger file is not looked at.
inline constexpr std::uint64_t kMaxFileBytes = 64ull << 20;

/// What a file must satisfy beyond its owner and mode.
struct Trust {
    std::vector<std::string> libraries;         ///< sonames that it may need beside those of the C and C++ libraries
    std::optional<SignatureKey> signature_key;  ///< if set, FILE.so.sig must hold a signature of the file's bytes
};

/// Reads the key that `settings` names. Errors are those of SignatureKey::load().
[[nodiscard]] core::Result<Trust> load_trust(const config::HostConfig::Plugins& settings);

/// Copies a file into a sealed memfd and reads what it says of itself, without executing any of it. The file must be a regular one (not
/// through a symbolic link), owned by root or this process's user, not writable for group or others, and must not change while it is
/// copied. Never waits for anything: devices and fifos are not opened.
///
/// Reasons: untrusted_file (owner, mode, kind, size, signature, changed while read, what read_library() refuses), load_failed (not an ELF
/// shared library for this machine, or without a Varde note), abi_mismatch (built for another ABI; the message names both versions and
/// what to do).
[[nodiscard]] Read<ports::Plugin> inspect(const std::filesystem::path& file, const Trust& trust = {});

/// inspect() for who looks again and again.
struct Examination {
    FileIdentity of;  ///< what the verdict is about; zero if there was no file to open
    Read<ports::Plugin> verdict;
    /// False: another try at the same file may end differently (it changed while it was read, or the system was out of something).
    bool final = true;
};
/// Examines the file `name` of an open folder. `path` is what it is called in messages.
[[nodiscard]] Examination examine(int folder, const std::string& name, const std::string& path, const Trust& trust);

/// The identity of a file and its signature now; nullopt if there is no such file.
[[nodiscard]] std::optional<FileIdentity> identity_of(int folder, const std::string& name);

/// The note of an ELF image, without copying or executing anything. Every offset and size is checked against `bytes`.
[[nodiscard]] Read<ports::Plugin> read_note(std::span<const std::byte> bytes);

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
