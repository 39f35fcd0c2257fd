#include "api/authentication.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace varde::api {

std::string token_hash(std::string_view secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr);
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    text.reserve(std::size_t{2} * size);
    for (unsigned i = 0; i < size; ++i) {
        text += kHex[digest[i] >> 4U];
        text += kHex[digest[i] & 15U];
    }
    return text;
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1" || address == "localhost" || address.starts_with("::ffff:127.");
}

core::Result<void> check_exposure(std::string_view address, bool require_tokens, ports::TokenRepository& tokens) {
    if (is_loopback(address) && !require_tokens) return {};
    const auto all = tokens.list();
    if (!all) return tl::unexpected{all.error()};
    for (const auto& token : *all) {
        if (!token.revoked_at) return {};
    }
    return core::fail(
        core::Errc::config_invalid,
        fmt::format("{}, but there is no API token, so nobody could use it: make one with `varde token create --name NAME "
                    "--role admin`, or listen on 127.0.0.1 without auth.required",
                    require_tokens ? std::string{"auth.required is set"}
                                   : fmt::format("http.address {} can be reached from other machines", address)));
}

std::optional<std::string_view> secret_of(std::string_view api_key, std::string_view authorization) {
    if (!api_key.empty()) return api_key;
    if (authorization.empty()) return std::nullopt;
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() < kBearer.size()) return "";
    for (std::size_t i = 0; i < kBearer.size(); ++i) {
        const char c = authorization[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kBearer[i]) return "";
    }
    authorization.remove_prefix(kBearer.size());
    while (authorization.starts_with(' ')) authorization.remove_prefix(1);
    return authorization;
}

const Identity* TokenCache::find(const std::string& hash) {
    const auto entry = entries_.find(hash);
    if (entry == entries_.end()) return nullptr;
    const auto now = clock_.now();
    // A clock that was set back must not keep a token alive.
    if (now < entry->second.until && entry->second.until - now <= keep_) return &entry->second.identity;
    entries_.erase(entry);
    return nullptr;
}

void TokenCache::keep(const std::string& hash, Identity identity) {
    constexpr std::size_t kMost = 4096;
    if (entries_.size() >= kMost) entries_.clear();
    entries_.insert_or_assign(hash, Entry{std::move(identity), clock_.now() + keep_});
}

}  // namespace varde::api
