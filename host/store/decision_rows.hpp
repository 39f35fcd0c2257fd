#pragma once
#include "core/decision.hpp"
#include "store/conditions.hpp"
#include "store/session.hpp"

#include <span>
#include <string>
#include <vector>

/// Rows of the table decisions. All throw SqlFailure or what SOCI throws.
namespace varde::store {

/// `tail`: ORDER BY and LIMIT.
[[nodiscard]] std::vector<core::Decision> select_decisions(Session& session, const Conditions& conditions,
                                                           const std::string& tail);

/// Inserts, or replaces the row of the same rule, scope and first_at, of which there is one in `decisions`. Inside a transaction of the
/// caller.
void write_decisions(Session& session, std::span<const core::Decision> decisions);

}  // namespace varde::store
