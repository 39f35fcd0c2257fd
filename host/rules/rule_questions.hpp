#pragma once
#include "rules/rule_run.hpp"
#include "rules/rule_set.hpp"

namespace varde::rules {

/// What people ask of rules between two runs; nothing is stored. On the run thread only, like the run and the set that it asks with.
class RuleQuestions {
  public:
    RuleQuestions(RunPorts ports, RuleRun& rule_run, const RuleSet& rule_set)
        : ports_{ports}, rule_run_{rule_run}, rule_set_{rule_set} {}

    /// RunControl::evaluate().
    [[nodiscard]] core::Result<std::vector<ports::RuleVerdict>> judge(const config::RulesConfig& config, const core::Scope& scope,
                                                                      core::Window window);
    /// RunControl::explain().
    [[nodiscard]] core::Result<ports::ExplainedRule> explain(const config::RulesConfig& config, const std::string& rule_id,
                                                             const core::Scope& scope, std::optional<core::Instant> at);

  private:
    RunPorts ports_;
    RuleRun& rule_run_;
    const RuleSet& rule_set_;
};

}  // namespace varde::rules
