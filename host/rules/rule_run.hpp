#pragma once
#include "config/settings.hpp"
#include "ports/baseline_repository.hpp"
#include "ports/decision_repository.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"
#include "ports/monitor_mode_repository.hpp"
#include "ports/rule_repository.hpp"
#include "ports/run_control.hpp"
#include "rules/decision_book.hpp"
#include "rules/judgements.hpp"
#include "rules/rule_selection.hpp"
#include "rules/rule_states.hpp"
#include "rules/run_log.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace varde::rules {

/// Everything a run works on. All of it outlives the run.
struct RunPorts {
    ports::Evaluator& evaluator;
    ports::DeviationRepository& deviations;
    ports::RuleRepository& rules;
    ports::BaselineRepository& baselines;
    ports::MonitorModeRepository& modes;
    const time::Clock& clock;
    ports::LogSink& log;
    ports::DecisionRepository* decisions = nullptr;  ///< null: no records of decisions are kept
    config::DecisionSettings keep_decisions{};
};

struct RunRequest {
    std::string run_id;
    std::chrono::milliseconds interval{60'000};  ///< for the log only: the period the run stands for
    /// Asked between steps; once it is true the run ends without having changed anything. Empty: never.
    std::function<bool()> abandoned;
    /// What is different in some homes (RuleSet::homes()), made of the same configuration; null: nothing. Outlives the run.
    const config::HomeRules* homes = nullptr;
    RuleSelection selection{};  ///< of those that are enabled
};

/// One scheduler run: for every scope with data every enabled rule, judged over [now - lookback, now), then the writes in one
/// transaction. Used by the scheduler's thread, `varde run` and `varde simulate`. Blocking; one thread at a time.
///
/// A rule is not asked about a scope of which too little is known (gating/): logged with the reason and counted. What a rule finds where
/// its monitor mode is OFF is dropped, where it is TEST it is kept and marked. Evidence gets the keys of the rule's truth.
/// A rule is enabled if rules.yaml enables it and its row in the database is not switched off. Rules of the file without a row get one.
/// A rule that was switched off or on since the last run is released: its failures are forgotten.
/// A failed evaluation is logged and counted; the run goes on. What cannot be written for one rule and scope is undone alone
/// (savepoint). What was decided of every rule and scope is kept with it (DecisionBook).
/// A failure of the database as a whole ends the run with nothing written, `scheduler_run_end` at ERROR and RunSummary::error; the next
/// run tries again.
class RuleRun {
  public:
    explicit RuleRun(RunPorts ports) : ports_{ports} {}

    /// Never throws; what went wrong is in the summary and the log.
    ports::RunSummary run(const config::RulesConfig& config, const RunRequest& request);

    /// Rules whose row in the database was switched off at the last run.
    [[nodiscard]] const std::set<std::string>& switched_off() const { return switched_off_; }

    /// What rules keep, read from the database if no run has done so yet.
    core::Result<const RuleStates*> states();

    /// Forgets the rules' states and the records of decisions, which the next run reads again: another host has made runs.
    void forget();

    /// Stores how far the records of decisions have come, at the end of the host. What fails is logged.
    void finish();

  private:
    core::Result<void> attempt(const config::RulesConfig& config, const RunRequest& request, RunLog& log,
                               ports::RunSummary& summary);
    core::Result<std::vector<EnabledRule>> enabled_rules(const config::RulesConfig& config, const config::HomeRules* homes,
                                                         core::Instant now);
    /// Null: none are kept. Read from the database by the first run.
    core::Result<DecisionBook*> decisions(core::Instant now);
    void prune_decisions(const Judgements& judgements);
    void release_switched(const std::vector<EnabledRule>& enabled);
    core::Result<void> write(const config::RulesConfig& config, const RunRequest& request, const Judgements& judgements,
                             RunLog& log, ports::RunSummary& summary);

    RunPorts ports_;
    std::set<std::string> switched_off_;
    std::optional<std::set<std::string>> enabled_before_;  ///< at the last run
    /// Scopes that had an active deviation at the end of the last run: they are judged even if their events are all gone.
    std::set<core::Scope> carried_;
    std::set<RuleAndScope> gated_;      ///< at the last run that was committed
    std::optional<RuleStates> states_;  ///< read by the first run
    std::optional<DecisionBook> decisions_;
};

}  // namespace varde::rules
