#pragma once
#include "core/rule_state.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace varde::rules {

/// What every rule keeps for every scope, as of the last run that was written. One thread at a time.
class RuleStates {
  public:
    RuleStates() = default;
    explicit RuleStates(std::vector<core::RuleState> stored) {
        for (auto& state : stored) put(std::move(state));
    }

    /// Null if the rule keeps nothing for the scope.
    [[nodiscard]] std::shared_ptr<const std::string> find(const std::string& rule_id, const core::Scope& scope) const {
        if (states_.empty()) return nullptr;
        const auto found = states_.find({rule_id, scope});
        return found == states_.end() ? nullptr : found->second;
    }
    /// Whether `state` says something new.
    [[nodiscard]] bool differs(const core::RuleState& state) const {
        const auto kept = find(state.rule_id, state.scope);
        return kept == nullptr ? !state.bytes.empty() : *kept != state.bytes;
    }
    void put(core::RuleState state) {
        std::pair key{std::move(state.rule_id), std::move(state.scope)};
        if (state.bytes.empty())
            states_.erase(key);
        else
            states_.insert_or_assign(std::move(key), std::make_shared<const std::string>(std::move(state.bytes)));
    }

  private:
    std::map<std::pair<std::string, core::Scope>, std::shared_ptr<const std::string>> states_;
};

}  // namespace varde::rules
