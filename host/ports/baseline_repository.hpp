#pragma once
#include "core/baseline.hpp"
#include "core/error.hpp"

#include <optional>
#include <vector>

namespace varde::ports {

/// Keeps how well each home's habits are known. Thread-safe; blocking: call on a database thread only. Every error is the database's.
class BaselineRepository {
  public:
    virtual ~BaselineRepository() = default;
    /// In the order of scopes.
    [[nodiscard]] virtual core::Result<std::vector<core::BaselineStatus>> list(const core::ScopeFilter& visible) = 0;
    [[nodiscard]] virtual core::Result<std::optional<core::BaselineStatus>> find(const core::Scope& scope) = 0;
    /// Stores the row of its scope, new or instead of the old one.
    virtual core::Result<void> save(const core::BaselineStatus& status) = 0;
};

}  // namespace varde::ports
