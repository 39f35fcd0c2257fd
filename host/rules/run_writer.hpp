#pragma once
#include "config/settings.hpp"
#include "ports/deviation_repository.hpp"
#include "rules/judgements.hpp"
#include "rules/rule_selection.hpp"
#include "rules/run_log.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace varde::rules {

/// Turns the judgements of one run into rows, inside one transaction that the caller commits.
class RunWriter {
  public:
    /// `gated_before`: what was gated at the run before; only changes are news in a run over many homes.
    RunWriter(ports::DeviationTransaction& transaction, const config::RulesConfig& config, core::Instant now, RunLog& log,
              const std::set<RuleAndScope>& gated_before, const RuleSelection& selection)
        : transaction_{transaction}, config_{config}, now_{now}, log_{log}, gated_before_{gated_before}, selection_{selection} {}

    /// Upserts what was found, then closes what has not been seen for its rule's expire_after. One rule's failing write is undone, logged
    /// and counted; an error here means that the whole run must be given up.
    core::Result<void> write(const Judgements& judgements, const std::function<bool()>& abandoned);

    [[nodiscard]] const ports::RunCounts& counts() const { return counts_; }
    /// The states that write() has written.
    [[nodiscard]] const std::vector<core::RuleState>& new_states() const { return new_states_; }
    /// Judgements whose answer could not be stored, and why.
    [[nodiscard]] const std::map<std::size_t, std::string>& unstored() const { return unstored_; }
    /// Scopes with an active deviation after write().
    [[nodiscard]] std::set<core::Scope> active_scopes() const;
    /// What was gated in this run.
    [[nodiscard]] const std::set<RuleAndScope>& gated() const { return gated_; }

  private:
    struct Key {
        std::string rule_id;
        std::string subject_key;
        core::Scope scope;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            const std::hash<std::string> hash;
            return (core::ScopeHash{}(key.scope) * 31 + hash(key.rule_id)) * 31 + hash(key.subject_key);
        }
    };

    core::Result<void> load_active();
    core::Result<void> settle(const Judgements& judgements, std::size_t i);
    /// Where too little is known of the home.
    void settle_gated(const Judgements& judgements, const RuleInScope& rule);
    /// A line of the log is news, whatever the number of homes: what was gated is not any more.
    [[nodiscard]] bool was_gated(const RuleInScope& rule) const;
    /// With the truth of the rule and its mode in the evidence.
    core::Result<void> store(const Judgements& judgements, const RuleInScope& rule, core::MonitorMode mode,
                             const core::Finding& finding);
    core::Result<void> upsert(const Key& key, const core::Finding& finding, bool test_mode);
    core::Result<void> close_stale(const Judgements& judgements);
    /// Why the row is to be closed now, or nullptr.
    const char* reason_to_close(const Judgements& judgements, const core::Deviation& row) const;
    /// Does `work` in a savepoint. The outer error: the run is lost. The inner one: only this work was undone.
    core::Result<std::optional<core::Error>> in_savepoint(const std::function<core::Result<void>()>& work);

    ports::DeviationTransaction& transaction_;
    const config::RulesConfig& config_;
    core::Instant now_;
    RunLog& log_;
    const std::set<RuleAndScope>& gated_before_;
    const RuleSelection& selection_;
    std::set<RuleAndScope> gated_;
    ports::RunCounts counts_;
    std::vector<core::RuleState> new_states_;
    std::map<std::size_t, std::string> unstored_;
    std::unordered_map<Key, core::Deviation, KeyHash> active_;
};

}  // namespace varde::rules
