#pragma once
#include "config/scenario.hpp"
#include "core/verdict.hpp"

#include <string>
#include <vector>

namespace varde::app {

struct JudgedFinding {
    std::string rule_id;
    core::Finding finding;
};

/// What is wrong with the findings of a scenario, a line each; empty: passed. Expectations are matched greedily in file order and each
/// finding is used once, as in the reference's scenario runner.
[[nodiscard]] std::vector<std::string> mismatches(const config::Scenario& scenario, const std::vector<JudgedFinding>& findings);

}  // namespace varde::app
