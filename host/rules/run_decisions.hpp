#pragma once
#include "rules/decision_book.hpp"
#include "rules/judgements.hpp"

#include <map>
#include <string>
#include <vector>

namespace varde::rules {

/// What a run decided, one element a rule and scope, in the order of `judgements`, which keep their reasons. `unstored`: whose answer could
/// not be stored, and why.
[[nodiscard]] std::vector<RunDecision> decisions_of(const Judgements& judgements,
                                                    const std::map<std::size_t, std::string>& unstored);

}  // namespace varde::rules
