#pragma once
#include "ports/token_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The API tokens in the database: hashes only. The tables exist (migrate()). list() is in the order of ids, revoked ones included.
class SqlTokenRepository final : public ports::TokenRepository {
  public:
    explicit SqlTokenRepository(Database& database) : database_{database} {}

    /// Errc::conflict: a token with this hash exists.
    core::Result<std::int64_t> insert(const ports::Token& token) override;
    core::Result<std::vector<ports::Token>> list() override;
    core::Result<std::optional<ports::Token>> find_active(const std::string& sha256) override;
    core::Result<void> revoke(std::int64_t id, core::Instant now) override;

  private:
    Database& database_;
};

}  // namespace varde::store
