#include "evaluate/given_events.hpp"

#include "evaluate/worker_death.hpp"

namespace varde::evaluate {

core::Verdict judge_given(BoundRule rule, const ports::Evaluation& evaluation, std::span<const core::Event> events,
                          PayloadReader& reader, const MemoryFor& memory_for, ReplayStore* replays) {
    const auto failed = [](const core::Error& error) {
        return core::Failed{core::FailureReason::rule_error, core::Phase::evaluate, clean_message(error.context), 0, 0, {}};
    };
    const auto& declared = rule.instance->declarations;
    PayloadAccess access;
    access.add(declared);
    auto memory = memory_for(access);
    if (!memory) return failed(memory.error());
    rule.memory = std::move(*memory);
    const auto plan = std::make_shared<ColumnPlan>(std::vector{&declared});
    rule.binding = plan->bind(declared, access.keys);
    auto columns = std::make_shared<LiveColumns>(plan);
    std::int64_t order = 0;
    for (core::Event event : events) {
        ++order;
        if (event.scope != evaluation.scope) continue;
        event.seq = order;  // insertion order, whatever the events say
        columns->append(event, reader);
    }
    columns->settle();
    std::vector<core::Verdict> verdicts(1, core::Failed{});
    EvaluationBatch batch{verdicts, [](const RuleRunner&, std::size_t) {}, replays};
    const Demand demand = demand_of(0, rule, evaluation, *plan);
    if (auto done = batch.add(ScopeView::given(std::move(columns)), {&demand, 1}); !done) return failed(done.error());
    batch.flush();
    return std::move(verdicts.front());
}

}  // namespace varde::evaluate
