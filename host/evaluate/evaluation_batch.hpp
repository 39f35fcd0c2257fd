#pragma once
#include "core/error.hpp"
#include "core/verdict.hpp"
#include "evaluate/replay_store.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/scope_view.hpp"
#include "evaluate/window_memory.hpp"
#include "evaluate/window_writer.hpp"
#include "ports/evaluator.hpp"
#include "wire/message.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace varde::evaluate {

/// A rule ready to be asked: an instance, the memory its windows go to, and where its declarations are in them.
struct BoundRule {
    std::shared_ptr<RuleRunner> runner;
    std::size_t member = 0;  ///< of the runner
    RuleRunner::Instance* instance = nullptr;
    wire::Binding binding;
    std::shared_ptr<WindowMemory> memory;
    std::optional<core::Failed> failure;  ///< why it cannot be asked; nullopt: it can
    [[nodiscard]] const ports::RuleSpec& spec() const { return runner->spec(member); }
};

/// One request to judge.
struct Demand {
    std::size_t index = 0;  ///< of the verdict
    BoundRule* rule = nullptr;
    core::Scope scope;
    core::Window window;
    core::Instant now;
    std::vector<core::Window>
        ranges;         ///< per declared read; of VARDE_READ_LATEST* empty. A rule without reads has one: the window
    core::Window hull;  ///< of the ranges that are not empty
    std::shared_ptr<const std::string> state{};
    bool explain = false;
};

/// Resolves the ranges that `rule` reads in `window`.
[[nodiscard]] Demand demand_of(std::size_t index, BoundRule& rule, const ports::Evaluation& asked, const ColumnPlan& plan);

/// Collects evaluations, writing each scope's window once for all rules that may know the same of it, and asks the workers when a window
/// memory is full or all is collected: one wake of a worker carries every evaluation of all its rules.
class EvaluationBatch {
  public:
    /// A member of a group ended their worker: gives the rules of that runner new ones, apart. Must leave memory and binding as they are:
    /// windows of this batch are written already.
    using SplitGroup = std::function<void(const RuleRunner& runner, std::size_t member)>;
    /// `replays` may be null. Both outlive the batch.
    EvaluationBatch(std::vector<core::Verdict>& verdicts, SplitGroup split, ReplayStore* replays)
        : verdicts_{verdicts}, split_{std::move(split)}, replays_{replays} {}

    /// Adds demands that are about the same scope. An error is the event log's.
    core::Result<void> add(ScopeView view, std::span<const Demand> demands);
    /// Asks the workers for everything added so far.
    void flush();

  private:
    struct Staged {
        std::shared_ptr<ScopeView> view;  ///< keeps the columns alive for the event ids
        WindowContent content;
    };
    struct Asked {
        const Demand* demand;
        const Staged* staged;
        std::uint32_t first_row;
        std::uint32_t n_rows;
    };
    struct Queue {
        BoundRule* rule;
        std::vector<wire::Item> items;
        std::vector<Asked> asked;
        std::size_t done = 0;  ///< items that have their verdict
    };
    core::Result<void> add_image(std::shared_ptr<ScopeView> view, std::span<const Demand> demands, WindowMemory& memory);
    core::Result<void> find_latest(Staged& staged, std::span<const Demand> demands, std::vector<std::vector<std::int64_t>>& rows);
    void add_item(const Staged& staged, std::uint64_t offset, const Demand& demand, const std::vector<std::int64_t>& latest);
    void run(std::span<Queue*> queues);
    void take(const Queue& queue, std::size_t item, core::Verdict verdict);
    [[nodiscard]] std::string keep_for_replay(const Queue& queue, std::size_t item, const core::Failed& failed);
    const std::vector<std::vector<varde_transition>>& zones(const ColumnPlan& plan, core::Instant from, core::Instant to);

    std::vector<core::Verdict>& verdicts_;
    SplitGroup split_;
    ReplayStore* replays_;
    std::set<WindowMemory*> written_;
    std::deque<Staged> staged_;
    std::deque<Demand> demands_;
    std::deque<Queue> queues_;
    /// Transition tables of the plan's zones, by first and last local day: the same for most scopes of a tick.
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::vector<varde_transition>>> zones_;
};

}  // namespace varde::evaluate
