#pragma once
#include "core/scope.hpp"

#include <string>

namespace varde::core {

/// What a rule keeps for one scope between evaluations (varde.state/1).
struct RuleState {
    std::string rule_id;
    Scope scope;
    std::string bytes;  ///< at most 64 KiB, of the rule's own making; empty: it keeps nothing
    friend bool operator==(const RuleState&, const RuleState&) = default;
};

}  // namespace varde::core
