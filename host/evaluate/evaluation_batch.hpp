#pragma once
#include "core/error.hpp"
#include "core/verdict.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/scope_view.hpp"
#include "evaluate/window_writer.hpp"
#include "ports/evaluator.hpp"
#include "wire/message.hpp"

#include <deque>
#include <map>
#include <span>
#include <vector>

namespace varde::evaluate {

/// A rule ready to be asked: an instance, and where its declarations are in the columns' plan.
struct BoundRule {
    RuleRunner* runner = nullptr;
    RuleRunner::Instance* instance = nullptr;
    wire::Binding binding;
};

/// One request to judge.
struct Demand {
    std::size_t index = 0;  ///< of the verdict
    const BoundRule* rule = nullptr;
    core::Window window;
    core::Instant now;
    std::vector<core::Window>
        ranges;         ///< per declared read; of VARDE_READ_LATEST* empty. A rule without reads has one: the window
    core::Window hull;  ///< of the ranges that are not empty
};

/// Resolves the ranges that `rule` reads in `window`.
[[nodiscard]] Demand demand_of(std::size_t index, const BoundRule& rule, core::Window window, core::Instant now,
                               const ColumnPlan& plan);

/// Collects evaluations, writing each scope's window once for all rules, and asks the workers when the batch memory is full or all is
/// collected: one wake of a worker carries many evaluations.
class EvaluationBatch {
  public:
    EvaluationBatch(std::span<std::byte> memory, std::vector<core::Verdict>& verdicts) : writer_{memory}, verdicts_{verdicts} {}

    /// Adds demands that are about the same scope. An error is the event log's.
    core::Result<void> add(ScopeView view, std::span<const Demand> demands);
    /// Asks the workers for everything added so far.
    void flush();

  private:
    struct Staged {
        ScopeView view;  ///< keeps the columns alive for the event ids
        WindowContent content;
    };
    struct Asked {
        const Demand* demand;
        const Staged* staged;
        std::uint32_t first_row;
        std::uint32_t n_rows;
    };
    struct Queue {
        std::vector<wire::Item> items;
        std::vector<Asked> asked;
    };
    core::Result<void> find_latest(Staged& staged, std::span<const Demand> demands, std::vector<std::vector<std::int64_t>>& rows);
    void add_item(const Staged& staged, std::uint64_t offset, const Demand& demand, const std::vector<std::int64_t>& latest);
    void run(const BoundRule& rule, Queue& queue);
    const std::vector<std::vector<varde_transition>>& zones(const ColumnPlan& plan, core::Instant from, core::Instant to);

    WindowWriter writer_;
    std::vector<core::Verdict>& verdicts_;
    std::deque<Staged> staged_;
    std::deque<Demand> demands_;
    std::vector<std::pair<const BoundRule*, Queue>> queues_;
    /// Transition tables of the plan's zones, by first and last local day: the same for most scopes of a tick.
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::vector<varde_transition>>> zones_;
};

}  // namespace varde::evaluate
