#pragma once
#include "ports/plugin_catalogue.hpp"

#include <cstddef>
#include <filesystem>
#include <span>

#include <tl/expected.hpp>

namespace varde::plugins {

/// A larger file is not looked at.
inline constexpr std::uint64_t kMaxFileBytes = 64ull << 20;

/// Copies a file into a sealed memfd and reads what it says of itself. The file must be a regular one (not through a symbolic link), owned
/// by root or this process's user, not writable for group or others, and must not change while it is copied.
///
/// Reasons: untrusted_file (owner, mode, kind, size, changed while read), load_failed (not an ELF shared library for this machine, or
/// without a Varde note), abi_mismatch (built for another ABI; the message names both versions and what to do).
[[nodiscard]] tl::expected<ports::Plugin, ports::RejectedPlugin> inspect(const std::filesystem::path& file);

/// The note of an ELF image, without copying or executing anything. Every offset and size is checked against `image`.
[[nodiscard]] tl::expected<ports::Plugin, ports::RejectedPlugin> read_note(std::span<const std::byte> image);

}  // namespace varde::plugins
