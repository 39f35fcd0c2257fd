#pragma once
#include "rule_file.hpp"

#include <array>
#include <memory>
#include <span>

#include <openssl/evp.h>
#include <openssl/pem.h>

/// A key pair that is always the same, and signatures made with it.
namespace signing {

using rule_file::Bytes;

class KeyPair {
  public:
    explicit KeyPair(unsigned char seed) {
        std::array<unsigned char, 32> secret{};
        secret.fill(seed);
        key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()), EVP_PKEY_free);
        REQUIRE(key_ != nullptr);
    }
    [[nodiscard]] std::string public_pem() const {
        const std::unique_ptr<BIO, int (*)(BIO*)> out{BIO_new(BIO_s_mem()), BIO_free};
        REQUIRE(PEM_write_bio_PUBKEY(out.get(), key_.get()) == 1);
        char* text = nullptr;
        const auto size = BIO_get_mem_data(out.get(), &text);
        return {text, static_cast<std::size_t>(size)};
    }
    [[nodiscard]] Bytes sign(const Bytes& bytes) const {
        const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
        REQUIRE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
        Bytes signature(64);
        std::size_t size = signature.size();
        REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                               reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1);
        return signature;
    }

  private:
    std::shared_ptr<EVP_PKEY> key_;
};

inline Bytes bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span{text});
    return {bytes.begin(), bytes.end()};
}

}  // namespace signing
