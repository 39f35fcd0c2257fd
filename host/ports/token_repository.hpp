#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::ports {

enum class Role { viewer, operator_, admin };       ///< each may do what the ones before may
[[nodiscard]] std::string_view name_of(Role role);  ///< "viewer", "operator", "admin"
[[nodiscard]] std::optional<Role> role_from(std::string_view name);

/// An API token without its secret: only the SHA-256 of the secret is kept.
struct Token {
    std::int64_t id = 0;
    std::string name;
    std::string sha256;  ///< lower-case hex
    Role role = Role::viewer;
    core::ScopeFilter scope;
    core::Instant created_at{};
    std::optional<core::Instant> revoked_at;
};

/// Blocking: call on a database thread only. Thread-safe.
class TokenRepository {
  public:
    virtual ~TokenRepository() = default;
    virtual core::Result<std::int64_t> insert(const Token& token) = 0;
    virtual core::Result<std::vector<Token>> list() = 0;
    /// The unrevoked token with this hash.
    virtual core::Result<std::optional<Token>> find_active(const std::string& sha256) = 0;
    /// Errc::not_found if there is no unrevoked token of that id.
    virtual core::Result<void> revoke(std::int64_t id, core::Instant now) = 0;
};

}  // namespace varde::ports
