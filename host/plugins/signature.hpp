#pragma once
#include "core/error.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace varde::plugins {

/// The ed25519 public key that rule files must be signed with: FILE.so.sig holds the 64 bytes of the signature over the bytes of FILE.so,
/// as `openssl pkeyutl -sign -rawin` writes them.
///
/// The research for this proposed libsodium. OpenSSL is linked anyway (SHA-256), has the same Ed25519, and the command that signs is on
/// every server.
class SignatureKey {
  public:
    static constexpr std::size_t kSignatureBytes = 64;

    /// Reads a public key in PEM. Errc::config_invalid or io_failed: unreadable, not an ed25519 public key, or writable by others.
    [[nodiscard]] static core::Result<SignatureKey> load(const std::filesystem::path& file);

    /// True if `signature` was made with the private key over exactly `bytes`.
    [[nodiscard]] bool signed_by(std::span<const std::byte> bytes, std::span<const std::byte> signature) const;

  private:
    explicit SignatureKey(std::shared_ptr<void> key) : key_{std::move(key)} {}
    std::shared_ptr<void> key_;  ///< an EVP_PKEY
};

}  // namespace varde::plugins
