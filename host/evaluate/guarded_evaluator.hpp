#pragma once
#include "config/settings.hpp"
#include "core/incident.hpp"
#include "evaluate/breaker.hpp"
#include "evaluate/incident_journal.hpp"
#include "ports/evaluator.hpp"
#include "ports/incident_repository.hpp"
#include "ports/log_sink.hpp"
#include "time/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::evaluate {

struct GuardSettings {
    config::HostConfig::Breaker breaker;
    std::uint32_t keep_incidents = 1000;
};

/// All outlive the guard.
struct GuardPorts {
    ports::IncidentRepository& incidents;
    const time::Clock& clock;
    ports::LogSink& log;
};

/// Where chance comes from. Tests bring their own.
struct GuardChance {
    std::function<double()> unit;              ///< [0, 1)
    std::function<std::string()> incident_id;  ///< lower-case UUIDs
    [[nodiscard]] static GuardChance of_system();
};

/// Stands before another evaluator and keeps rules that fail out of service for a while (breaker.hpp): they are not asked, and answer
/// Failed{quarantined} with a message that says since when, why, until when, and how to bring them back. Every other failure becomes an
/// incident, or a repeat of one; its Failed then names the incident and says in its evidence what was done about the rule.
///
/// Logs rule_backing_off, rule_quarantined, rule_probing and rule_back_in_service, once per change. Breakers are kept in the database and
/// found again at the next start. A rule is released by release(), by another plugin file, or by deleting its row from another process,
/// which is noticed within a second of use. A database that is away costs a log event, no verdict.
///
/// Two things are decided about a batch as a whole. Failures that leave the worker alive count once, and only if the rule answered
/// nowhere in the batch: homes that a rule cannot judge, and says so, may lie side by side. And the homes that a rule is probed with are
/// drawn by lot: if it were always the first one, that one's odd data could keep the rule out for ever.
///
/// A rule that configure() refused is never asked by the evaluator, so there is nothing to protect: its own reason is its answer.
/// evaluate_events() is not guarded. One thread; blocking, also on the database.
class GuardedEvaluator final : public ports::Evaluator {
  public:
    GuardedEvaluator(ports::Evaluator& next, GuardPorts ports, const GuardSettings& settings,
                     GuardChance chance = GuardChance::of_system());
    ~GuardedEvaluator() override;

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override;
    [[nodiscard]] std::optional<core::Failed> try_params(const std::string& rule_id, const std::string& params) override {
        return next_.try_params(rule_id, params);
    }
    bool settle() override { return next_.settle(); }
    [[nodiscard]] std::vector<ports::RuleInUse> in_use() const override { return next_.in_use(); }
    core::Result<void> catch_up(core::Instant now) override;
    [[nodiscard]] std::vector<core::Scope> scopes() const override;
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override;
    core::Verdict evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                  std::span<const core::Event> events) override;
    [[nodiscard]] std::vector<core::BreakerRecord> breakers() override;
    void release(const std::string& rule_id) override;

  private:
    struct Rule;
    /// An evaluation that is handed on.
    struct Turn {
        std::size_t index = 0;
        Rule* rule = nullptr;  ///< null: not one of configure()'s
        bool is_probe = false;
    };

    Rule& enlist(const ports::Plugin& plugin, core::Instant now);
    void adopt(Rule& rule);
    void refuse(Rule& rule, core::Failed& failed, core::Instant now);
    Rule* find(const std::string& rule_id);

    std::vector<Turn> choose(std::span<const ports::Evaluation> evaluations, core::Instant now,
                             std::vector<core::Verdict>& verdicts);
    core::Result<std::vector<core::Verdict>> ask(std::span<const ports::Evaluation> evaluations, std::span<const Turn> turns);
    void judge(std::span<const ports::Evaluation> evaluations, std::span<const Turn> turns, std::vector<core::Verdict>& answers,
               core::Instant now);
    void take_answer(const Turn& turn, core::Verdict& answer, core::Instant now) const;
    bool take_failure(Rule& rule, core::Failed& failed, core::Instant now);
    void complete(Rule& rule, core::Failed& failed, const ports::Evaluation& evaluation, core::Instant now, bool is_new);

    void look(core::Instant now, bool at_once);
    void settle(core::Instant now);
    void log_change(Rule& rule);

    ports::Evaluator& next_;
    GuardPorts ports_;
    GuardSettings settings_;
    GuardChance chance_;
    IncidentJournal journal_;
    std::map<std::string, std::unique_ptr<Rule>, std::less<>> rules_;
    std::map<std::string, core::BreakerRecord> persisted_;  ///< as loaded, of rules that were not configured yet
    bool loaded_ = false;
    core::Instant looked_at_{};
};

}  // namespace varde::evaluate
