#pragma once
#include "ports/token_repository.hpp"

#include <algorithm>
#include <mutex>

namespace varde::fakes {

/// A TokenRepository in memory. Thread-safe.
class TokenRepository final : public ports::TokenRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// Calls of find_active so far.
    [[nodiscard]] int lookups() const {
        const std::lock_guard lock{mutex_};
        return lookups_;
    }

    core::Result<std::int64_t> insert(const ports::Token& token) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake tokens: insert");
        tokens_.push_back(token);
        tokens_.back().id = static_cast<std::int64_t>(tokens_.size());
        return tokens_.back().id;
    }
    core::Result<std::vector<ports::Token>> list() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake tokens: list");
        return tokens_;
    }
    core::Result<std::optional<ports::Token>> find_active(const std::string& sha256) override {
        const std::lock_guard lock{mutex_};
        ++lookups_;
        if (failure_) return core::fail(*failure_, "fake tokens: find_active");
        for (const auto& token : tokens_) {
            if (token.sha256 == sha256 && !token.revoked_at) return token;
        }
        return std::nullopt;
    }
    core::Result<void> revoke(std::int64_t id, core::Instant now) override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake tokens: revoke");
        const auto token = std::ranges::find_if(tokens_, [&](const auto& t) { return t.id == id && !t.revoked_at; });
        if (token == tokens_.end()) return core::fail(core::Errc::not_found, "fake tokens: revoke");
        token->revoked_at = now;
        return {};
    }

  private:
    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::vector<ports::Token> tokens_;
    int lookups_ = 0;
};

}  // namespace varde::fakes
