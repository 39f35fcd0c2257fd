#pragma once
#include <set>
#include <string>

namespace varde::rules {

/// Which rules a run is of. What belongs to the others is left as it is.
struct RuleSelection {
    std::set<std::string> only;    ///< ids; empty: all but `except`
    std::set<std::string> except;  ///< ids; counts if `only` is empty

    [[nodiscard]] bool includes(const std::string& rule_id) const {
        return only.empty() ? !except.contains(rule_id) : only.contains(rule_id);
    }
};

}  // namespace varde::rules
