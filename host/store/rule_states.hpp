#pragma once
#include "core/instant.hpp"
#include "core/rule_state.hpp"
#include "store/session.hpp"

#include <vector>

namespace varde::store {

/// Every stored state that can be read. Throws SqlFailure.
[[nodiscard]] std::vector<core::RuleState> select_rule_states(Session& session);

/// Replaces what is stored for the rule and scope; without bytes the row goes. Inside a transaction of the caller.
void write_rule_state(Session& session, const core::RuleState& state, core::Instant now);

}  // namespace varde::store
