#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "evaluate/carried_answers.hpp"
#include "evaluate/evaluation_batch.hpp"
#include "evaluate/event_columns.hpp"
#include "evaluate/replay_store.hpp"
#include "evaluate/rollout.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/trial_room.hpp"
#include "evaluate/window_memory.hpp"
#include "evaluate/worker_nursery.hpp"
#include "ports/evaluator.hpp"
#include "ports/event_log.hpp"
#include "ports/log_sink.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace varde::evaluate {

/// The Evaluator of the product: live columns of recent events, windows in shared memory, one sandboxed worker process a rule.
///
/// All calls on one thread, which must live as long as its workers: the kernel kills a worker when the thread that started it ends.
/// (Then the next call starts new ones.) Blocking, also on the event log.
class EvaluationEngine final : public ports::Evaluator {
  public:
    /// `log` may be null: then only evaluate_events() has anything to judge. That the worker program is missing is not found out
    /// here: configure() reports it for every rule.
    EvaluationEngine(ports::EventLog* log, const config::HostConfig::Isolation& settings, ports::LogSink& sink);
    ~EvaluationEngine() override;

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override;
    [[nodiscard]] std::optional<core::Failed> try_params(const std::string& rule_id, const std::string& params) override;
    bool settle() override;
    [[nodiscard]] std::vector<ports::RuleInUse> in_use() const override;
    core::Result<void> catch_up(core::Instant now) override;
    [[nodiscard]] std::vector<core::Scope> scopes() const override;
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override;
    core::Verdict evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                  std::span<const core::Event> events) override;

    /// Whether an answer that still holds is given again instead of asking (CarriedAnswers). On unless told otherwise.
    void carry_answers(bool on) { carries_ = on; }
    /// Lets a rule that can be asked check itself, if it offers that; nullopt: nothing is wrong.
    std::optional<core::Failed> selftest(const std::string& rule_id);
    /// From now on failed evaluations are kept there; it outlives the engine.
    void keep_replays_in(ReplayStore& replays) { replays_ = &replays; }

    /// Waits for the trial of a new plugin to end; the next settle() takes its result. False: none did. For tests and diagnosis.
    [[nodiscard]] bool await_trial(std::chrono::milliseconds patience) { return trials_ && trials_->await_result(patience); }
    /// Process id of the rule's worker, 0 if there is none. For tests and diagnosis.
    [[nodiscard]] int worker_pid(const std::string& rule_id) const;
    /// wire::posture_* bits of the rule's worker: which layers of the sandbox this kernel gave.
    [[nodiscard]] std::uint32_t posture(const std::string& rule_id) const;

  private:
    /// A rule made with the params of some homes.
    struct Variant {
        BoundRule bound;
        CarriedAnswers::Reads reads;
    };
    struct Rule {
        ports::RuleSpec spec;  ///< its plugin is the one in use; without bytes there is none yet
        BoundRule bound;
        std::vector<Variant> variants;  ///< as spec.variants
        std::optional<Candidate> candidate;
        std::optional<Probation> probation;
        std::uint64_t evaluations = 0;
        bool called_random = false;  ///< said in the log: it gave one window two answers
        CarriedAnswers::Reads reads;
        bool keeps_its_word = true;  ///< no: an answer changed before it was to end, and is not carried any more

        [[nodiscard]] BoundRule& bound_for(const ports::Evaluation& asked);
        [[nodiscard]] const CarriedAnswers::Reads& reads_for(const ports::Evaluation& asked) const;
    };
    /// A live window that a candidate was asked about as well.
    struct Shadow {
        std::size_t rule;     ///< of rules_
        std::size_t verdict;  ///< beyond those that were asked for
    };
    [[nodiscard]] Rule* find(const std::string& rule_id);
    [[nodiscard]] const Rule* find(const std::string& rule_id) const;
    /// Every rule with every params, and the candidates that see live windows, with their runners' members.
    void for_each_bound(const std::function<void(BoundRule&)>& visit);
    [[nodiscard]] core::Failed not_loaded(const std::string& rule_id) const;
    /// What to do about a plugin that differs from the one in use, or has none to differ from.
    void meet_candidate(Rule& rule, ports::RuleSpec wanted);
    void take_next_steps();
    void take_trial_results();
    bool swap_and_roll_back();
    /// Asks a few of these once more, to see whether the rules say the same. Of a carried answer that ended too early the new one counts.
    void audit(std::span<const ports::Evaluation> evaluations, std::span<core::Verdict> verdicts);
    void compare(Rule& rule, const core::Completed& first, const core::Verdict& second);
    bool still_holds(Rule& rule, const core::Completed& carried, const core::Verdict& now);
    void carry(std::span<const ports::Evaluation> evaluations, std::span<const core::Verdict> verdicts);
    [[nodiscard]] bool may_carry(const Rule& rule, const ports::Evaluation& asked) const;
    void judge_versions(std::span<const ports::Evaluation> evaluations, std::span<const core::Verdict> verdicts,
                        std::span<const Shadow> shadows);
    /// Gives every rule its runner: its own, or that of its group; kept ones of `before` where nothing changed.
    void assign_runners(const std::vector<Rule>& before);
    void make_instances();
    /// false: a member of a group ended its worker and was put apart; the others are to be made again.
    bool try_instances();
    void make_variants(Rule& rule);
    /// With a runner that has the candidate's plugin. False: it cannot be made with params that the version in use can; it is refused.
    bool make_variants(const Rule& rule, Candidate& candidate) const;
    void plan_columns();
    void put_apart(const RuleRunner& runner, std::size_t member);
    void split_group(const RuleRunner& runner, std::size_t member);
    [[nodiscard]] bool stands_alone(const ports::RuleSpec& spec) const;
    core::Result<std::shared_ptr<WindowMemory>> memory_for(const PayloadAccess& access);
    core::Result<void> add_scope(EvaluationBatch& batch, const core::Scope& scope, std::span<const ports::Evaluation> evaluations,
                                 std::span<const std::size_t> members, std::vector<core::Verdict>& verdicts,
                                 std::vector<Shadow>& shadows);

    ports::LogSink& sink_;
    config::HostConfig::Isolation settings_;
    std::unique_ptr<WorkerNursery> nursery_;  ///< before everything that holds a worker: it must outlive them
    std::unique_ptr<TrialRoom> trials_;
    bool configured_ = false;
    std::optional<core::Failed> no_nursery_;
    int cpu_ = -1;
    EventColumns events_;
    std::map<PayloadAccess, std::weak_ptr<WindowMemory>> memories_;
    std::vector<Rule> rules_;
    std::unordered_map<std::string, std::size_t> places_;  ///< in rules_, by rule id
    CarriedAnswers carried_;
    bool carries_ = true;
    bool news_ = false;                                    ///< in_use() changed since settle() was last answered
    bool plan_is_stale_ = false;                           ///< runners changed during a run
    std::set<std::pair<std::string, std::string>> split_;  ///< rule id and hash of plugins that crashed in a group
    ReplayStore* replays_ = nullptr;
};

}  // namespace varde::evaluate
