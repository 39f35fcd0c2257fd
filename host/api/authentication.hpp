#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/scope.hpp"
#include "ports/token_repository.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace varde::api {

/// Who asks, and what they may do and see.
struct Identity {
    std::string name;  ///< of the token; "local" without one
    ports::Role role = ports::Role::viewer;
    core::ScopeFilter scope;  ///< empty parts: all
};

/// The SHA-256 of a token's secret as the token repository keeps it: lower-case hex.
[[nodiscard]] std::string token_hash(std::string_view secret);

/// True for 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool is_loopback(std::string_view address);

/// Errc::config_invalid if the server would need tokens but none exists: an address that is not loopback, or auth.required. Blocking.
[[nodiscard]] core::Result<void> check_exposure(std::string_view address, bool require_tokens, ports::TokenRepository& tokens);

/// The secret of a request: X-API-Key, or "Authorization: Bearer SECRET"; nullopt if it has none. An Authorization of another kind is an
/// empty secret, which no token has.
[[nodiscard]] std::optional<std::string_view> secret_of(std::string_view api_key, std::string_view authorization);

/// Remembers which tokens were good a moment ago. One thread. Unknown tokens are not remembered.
class TokenCache {
  public:
    TokenCache(const time::Clock& clock, std::chrono::microseconds keep) : clock_{clock}, keep_{keep} {}
    [[nodiscard]] const Identity* find(const std::string& hash);
    void keep(const std::string& hash, Identity identity);

  private:
    struct Entry {
        Identity identity;
        core::Instant until;
    };
    const time::Clock& clock_;
    std::chrono::microseconds keep_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace varde::api
