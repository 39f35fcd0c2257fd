#include "evaluate/evaluation_engine.hpp"

#include "evaluate/cpu_pin.hpp"
#include "evaluate/read_resolution.hpp"
#include "evaluate/worker_death.hpp"

#include <algorithm>
#include <unordered_map>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::FailureReason;
using core::Phase;

core::Result<std::unique_ptr<WorkerHouse>> make_house(const config::HostConfig::Isolation& settings) {
    auto program = WorkerProgram::open(settings.worker_path);
    if (!program) return tl::unexpected{program.error()};
    auto batch = SharedMemory::make("varde-windows", settings.window_bytes, SharedMemory::Others::may_only_read);
    if (!batch) return tl::unexpected{batch.error()};
    return std::make_unique<WorkerHouse>(
        WorkerHouse{std::move(*program), std::move(*batch), settings.load_timeout, choose_cpu(settings.pin_cpu)});
}

/// Evaluations of one scope, in order of their first appearance.
std::vector<std::pair<core::Scope, std::vector<std::size_t>>> by_scope(std::span<const ports::Evaluation> evaluations) {
    std::vector<std::pair<core::Scope, std::vector<std::size_t>>> groups;
    std::unordered_map<core::Scope, std::size_t, core::ScopeHash> place;
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        const auto [entry, is_new] = place.try_emplace(evaluations[i].scope, groups.size());
        if (is_new) groups.push_back({evaluations[i].scope, {}});
        groups[entry->second].second.push_back(i);
    }
    return groups;
}

}  // namespace

EvaluationEngine::EvaluationEngine(ports::EventLog* log, const config::HostConfig::Isolation& settings, ports::LogSink& sink)
    : sink_{sink}, events_{log} {
    auto house = make_house(settings);
    if (house)
        house_ = std::move(*house);
    else
        no_house_ = Failed{FailureReason::spawn_failed, Phase::spawn, clean_message(house.error().context), 0, 0, {}};
}

EvaluationEngine::~EvaluationEngine() = default;

std::vector<std::optional<Failed>> EvaluationEngine::configure(std::vector<ports::RuleSpec> specs) {
    std::vector<Rule> before = std::exchange(rules_, {});
    std::vector<std::optional<Failed>> failures;
    for (ports::RuleSpec& spec : specs) {
        Rule rule;
        if (no_house_) {
            rule.failure = no_house_;
        } else {
            const auto kept =
                std::find_if(before.begin(), before.end(), [&](Rule& old) { return old.runner && old.runner->adopt(spec); });
            rule.runner = kept != before.end() ? std::move(kept->runner) : std::make_unique<RuleRunner>(*house_, spec, sink_);
            auto instance = rule.runner->instance(spec.params);
            if (auto* failed = std::get_if<Failed>(&instance))
                rule.failure = std::move(*failed);
            else
                rule.bound = {rule.runner.get(), std::get<RuleRunner::Instance*>(instance), {}};
        }
        failures.push_back(rule.failure);
        rules_.push_back(std::move(rule));
    }
    plan_columns();
    return failures;
}

void EvaluationEngine::plan_columns() {
    std::vector<const wire::Declarations*> declarations;
    std::chrono::microseconds horizon{0};
    for (const Rule& rule : rules_) {
        if (rule.bound.instance == nullptr) continue;
        const auto& declared = rule.bound.instance->declarations;
        declarations.push_back(&declared);
        const auto lookback = rule.runner->spec().lookback;
        horizon = std::max(horizon, lookback);
        for (const wire::ReadDeclaration& read : declared.reads) horizon = std::max(horizon, reach_of(read, lookback));
    }
    // The window's end lags behind the clock by up to a tick; what is still older is read from the event log.
    horizon += std::chrono::minutes{10};
    events_.set_plan(std::make_shared<ColumnPlan>(declarations), horizon);
    for (Rule& rule : rules_)
        if (rule.bound.instance != nullptr) rule.bound.binding = events_.plan()->bind(rule.bound.instance->declarations);
}

core::Result<void> EvaluationEngine::catch_up(core::Instant now) { return events_.catch_up(now); }

std::vector<core::Scope> EvaluationEngine::scopes() const { return events_.scopes(); }

EvaluationEngine::Rule* EvaluationEngine::find(const std::string& rule_id) {
    return const_cast<Rule*>(std::as_const(*this).find(rule_id));
}

const EvaluationEngine::Rule* EvaluationEngine::find(const std::string& rule_id) const {
    const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& rule) {
        return rule.runner && rule.runner->spec().plugin.rule_id == rule_id;
    });
    return found == rules_.end() ? nullptr : &*found;
}

Failed EvaluationEngine::not_loaded(const std::string& rule_id) const {
    if (no_house_) return *no_house_;
    return Failed{FailureReason::not_loaded, Phase::load, clean_message("there is no plugin for rule " + rule_id), 0, 0, {}};
}

core::Result<void> EvaluationEngine::add_scope(EvaluationBatch& batch, const core::Scope& scope,
                                               std::span<const ports::Evaluation> evaluations,
                                               std::span<const std::size_t> members, std::vector<core::Verdict>& verdicts) {
    std::vector<Demand> live;
    std::vector<Demand> beyond;  // reads that begin before what the live columns hold
    core::Window range{core::Instant::max(), core::Instant::min()};
    for (const std::size_t i : members) {
        const ports::Evaluation& asked = evaluations[i];
        const Rule* rule = find(asked.rule_id);
        if (rule == nullptr || rule->failure) {
            verdicts[i] = rule == nullptr ? not_loaded(asked.rule_id) : *rule->failure;
            continue;
        }
        Demand demand = demand_of(i, rule->bound, asked.window, asked.now, *events_.plan());
        if (demand.hull.since >= events_.live_since()) {
            live.push_back(std::move(demand));
            continue;
        }
        range = {std::min(range.since, demand.hull.since), std::max(range.until, demand.hull.until)};
        beyond.push_back(std::move(demand));
    }
    if (auto done = batch.add(ScopeView::live(events_, scope), live); !done) return done;
    if (beyond.empty()) return {};
    auto columns = events_.read_range(scope, range);
    if (!columns) return tl::unexpected{columns.error()};
    return batch.add(ScopeView::ranged(events_, scope, std::move(*columns)), beyond);
}

core::Result<std::vector<core::Verdict>> EvaluationEngine::evaluate(std::span<const ports::Evaluation> evaluations) {
    std::vector<core::Verdict> verdicts(evaluations.size(), core::Failed{});
    if (!house_) {
        std::fill(verdicts.begin(), verdicts.end(), core::Verdict{*no_house_});
        return verdicts;
    }
    const CpuPin pin{house_->cpu};
    EvaluationBatch batch{house_->batch.bytes(), verdicts};
    for (const auto& [scope, members] : by_scope(evaluations))
        if (auto done = add_scope(batch, scope, evaluations, members, verdicts); !done) return tl::unexpected{done.error()};
    batch.flush();
    return verdicts;
}

core::Verdict EvaluationEngine::evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                                std::span<const core::Event> events) {
    Rule* rule = find(evaluation.rule_id);
    if (rule == nullptr) return not_loaded(evaluation.rule_id);
    const CpuPin pin{house_->cpu};
    auto instance = rule->runner->instance(params);
    if (auto* failed = std::get_if<Failed>(&instance)) return std::move(*failed);
    BoundRule bound{rule->runner.get(), std::get<RuleRunner::Instance*>(instance), {}};
    const auto& declared = bound.instance->declarations;
    const auto plan = std::make_shared<ColumnPlan>(std::vector{&declared});
    bound.binding = plan->bind(declared);
    auto columns = std::make_shared<LiveColumns>(plan);
    std::int64_t order = 0;
    for (core::Event event : events) {
        ++order;
        if (event.scope != evaluation.scope) continue;
        event.seq = order;  // insertion order, whatever the events say
        columns->append(event, events_.reader());
    }
    columns->settle();
    std::vector<core::Verdict> verdicts(1, core::Failed{});
    EvaluationBatch batch{house_->batch.bytes(), verdicts};
    const Demand demand = demand_of(0, bound, evaluation.window, evaluation.now, *plan);
    if (auto done = batch.add(ScopeView::given(std::move(columns)), {&demand, 1}); !done)
        return Failed{FailureReason::rule_error, Phase::evaluate, clean_message(done.error().context), 0, 0, {}};
    batch.flush();
    return std::move(verdicts.front());
}

int EvaluationEngine::worker_pid(const std::string& rule_id) const {
    const Rule* rule = find(rule_id);
    return rule == nullptr ? 0 : rule->runner->worker_pid();
}

std::uint32_t EvaluationEngine::posture(const std::string& rule_id) const {
    const Rule* rule = find(rule_id);
    return rule == nullptr ? 0 : rule->runner->posture();
}

}  // namespace varde::evaluate
