#include "plugins/signature.hpp"

#include "plugins/trusted_text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace varde::plugins {
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

const unsigned char* as_chars(std::span<const std::byte> bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

/// OpenSSL would ask at the terminal for the password of an encrypted file.
int no_password(char*, int, int, void*) { return 0; }

}  // namespace

core::Result<SignatureKey> SignatureKey::load(const std::filesystem::path& file) {
    const auto text = trusted_text(file, "plugins.signature_key");
    if (!text) return tl::unexpected{text.error()};
    const Bio source{BIO_new_mem_buf(text->data(), static_cast<int>(text->size()))};
    std::shared_ptr<EVP_PKEY> key{PEM_read_bio_PUBKEY(source.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) {
        return core::fail(
            core::Errc::config_invalid,
            fmt::format("plugins.signature_key {0}: is not an ed25519 public key in PEM; make it with: openssl pkey -in "
                        "PRIVATE.pem -pubout -out {0}",
                        file.string()));
    }
    return SignatureKey{std::move(key)};
}

bool SignatureKey::signed_by(std::span<const std::byte> bytes, std::span<const std::byte> signature) const {
    const DigestContext context{EVP_MD_CTX_new()};
    return signature.size() == kSignatureBytes && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) == 1 &&
           EVP_DigestVerify(context.get(), as_chars(signature), signature.size(), as_chars(bytes), bytes.size()) == 1;
}

}  // namespace varde::plugins
