#include "evaluate/evaluation_engine.hpp"

#include "evaluate/breaker.hpp"
#include "evaluate/cpu_pin.hpp"
#include "evaluate/given_events.hpp"
#include "evaluate/read_resolution.hpp"
#include "evaluate/worker_death.hpp"
#include "evaluate/worker_launch.hpp"

#include <algorithm>
#include <unordered_map>

namespace varde::evaluate {
namespace {

using core::Failed;
using core::FailureReason;
using core::Phase;

RunnerLimits limits_of(const config::HostConfig::Isolation& settings) {
    return {settings.load_timeout, settings.max_evaluations, settings.max_age, settings.max_growth_mb << 20,
            settings.max_log_bytes};
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
    : sink_{sink}, settings_{settings}, cpu_{choose_cpu(settings.pin_cpu)}, events_{log} {
    auto launch = prepare_launch(settings, cpu_, sink);
    if (launch) {
        nursery_ = std::make_unique<WorkerNursery>(std::move(*launch), static_cast<std::size_t>(settings.spares));
        trials_ = std::make_unique<TrialRoom>(*nursery_, limits_of(settings), sink);
    } else {
        no_nursery_ = Failed{FailureReason::spawn_failed, Phase::spawn, clean_message(launch.error().context), 0, 0, {}};
    }
}

EvaluationEngine::~EvaluationEngine() = default;

std::vector<std::optional<Failed>> EvaluationEngine::configure(std::vector<ports::RuleSpec> specs) {
    const bool runs = std::exchange(configured_, true) && !no_nursery_;
    std::vector<Rule> before = std::exchange(rules_, {});
    for (ports::RuleSpec& spec : specs) {
        const auto old =
            std::ranges::find(before, spec.plugin.rule_id, [](const Rule& rule) { return rule.spec.plugin.rule_id; });
        if (!runs) {
            rules_.emplace_back().spec = std::move(spec);
        } else if (old != before.end()) {
            rules_.push_back(*old);
            meet_candidate(rules_.back(), std::move(spec));
        } else {
            rules_.emplace_back();
            rules_.back().spec.plugin.rule_id = spec.plugin.rule_id;
            meet_candidate(rules_.back(), std::move(spec));
        }
    }
    places_.clear();
    for (std::size_t place = 0; place < rules_.size(); ++place) places_.emplace(rules_[place].spec.plugin.rule_id, place);
    if (no_nursery_) {
        for (Rule& rule : rules_) rule.bound.failure = no_nursery_;
    } else {
        assign_runners(before);
        make_instances();
    }
    plan_columns();
    news_ = false;  // who configures looks at in_use() anyway
    std::vector<std::optional<Failed>> failures;
    for (const Rule& rule : rules_) failures.push_back(rule.bound.failure);
    return failures;
}

bool EvaluationEngine::stands_alone(const ports::RuleSpec& spec) const {
    return spec.group.empty() || split_.contains({spec.plugin.rule_id, spec.plugin.sha256});
}

void EvaluationEngine::assign_runners(const std::vector<Rule>& before) {
    std::map<std::string, std::vector<Rule*>> groups;
    for (Rule& rule : rules_) {
        if (!rule.spec.plugin.bytes) {
            rule.bound = {};
            rule.bound.failure = Failed{FailureReason::not_loaded, Phase::load, "its plugin is still being tried out", 0, 0, {}};
            continue;
        }
        auto& group = groups[stands_alone(rule.spec) ? "rule " + rule.spec.plugin.rule_id : "group " + rule.spec.group];
        group.push_back(&rule);
    }
    std::vector<std::shared_ptr<RuleRunner>> made;
    for (auto& [name, rules] : groups) {
        for (std::size_t first = 0; first < rules.size(); first += wire::max_group) {
            const auto part = std::span{rules}.subspan(first, std::min(wire::max_group, rules.size() - first));
            std::vector<ports::RuleSpec> members;
            for (const Rule* rule : part) members.push_back(rule->spec);
            const auto kept = std::ranges::find_if(
                before, [&](const Rule& old) { return old.bound.runner && old.bound.runner->adopt(members); });
            auto runner = kept != before.end()
                              ? kept->bound.runner
                              : std::make_shared<RuleRunner>(*nursery_, limits_of(settings_), std::move(members), sink_);
            if (kept == before.end()) made.push_back(runner);
            for (std::size_t i = 0; i < part.size(); ++i) part[i]->bound = {runner, i, nullptr, {}, nullptr, {}};
        }
    }
    // All at once: while one loads its plugin, the next is started.
    nursery_->expect(made.size());
    for (const auto& runner : made) runner->prepare();
}

void EvaluationEngine::make_instances() {
    while (!try_instances()) assign_runners(std::vector<Rule>{rules_});
}

bool EvaluationEngine::try_instances() {
    for (Rule& rule : rules_) {
        if (!rule.bound.runner) continue;
        RuleRunner& runner = *rule.bound.runner;
        auto instance = runner.instance(rule.bound.member, rule.spec.params);
        rule.bound.failure.reset();
        rule.bound.instance = nullptr;
        if (auto* made = std::get_if<RuleRunner::Instance*>(&instance)) {
            rule.bound.instance = *made;
            make_variants(rule);
            continue;
        }
        const auto guilty = runner.blamed();
        if (guilty && runner.members().size() > 1) {
            put_apart(runner, *guilty);
            return false;
        }
        rule.bound.failure = std::get<Failed>(std::move(instance));
        make_variants(rule);
    }
    return true;
}

void EvaluationEngine::plan_columns() {
    std::vector<const wire::Declarations*> declarations;
    std::map<const RuleRunner*, PayloadAccess> accesses;
    for_each_bound([&](BoundRule& bound) {
        if (bound.instance == nullptr) return;
        declarations.push_back(&bound.instance->declarations);
        accesses[bound.runner.get()].add(bound.instance->declarations);
    });
    std::chrono::microseconds horizon{0};
    for (const Rule& rule : rules_) {
        const auto lookback = rule.spec.lookback;
        const auto reach = [&](const BoundRule& bound) {
            if (bound.instance == nullptr) return;
            horizon = std::max(horizon, lookback);
            for (const wire::ReadDeclaration& read : bound.instance->declarations.reads)
                horizon = std::max(horizon, reach_of(read, lookback));
        };
        reach(rule.bound);
        for (const Variant& variant : rule.variants) reach(variant.bound);
    }
    // The window's end lags behind the clock by up to a tick; what is still older is read from the event log.
    horizon += std::chrono::minutes{10};
    events_.set_plan(std::make_shared<ColumnPlan>(declarations), horizon);
    for_each_bound([&](BoundRule& bound) {
        if (bound.instance == nullptr) return;
        auto memory = memory_for(accesses.at(bound.runner.get()));
        if (!memory) {
            bound.failure = Failed{FailureReason::spawn_failed, Phase::spawn, clean_message(memory.error().context), 0, 0, {}};
            return;
        }
        bound.memory = std::move(*memory);
        bound.binding = events_.plan()->bind(bound.instance->declarations, bound.memory->access().keys);
    });
    carried_.forget_all();  // places in rules_, instances and what they read may all be others
    const auto reads_of = [&](const BoundRule& bound) {
        return bound.instance == nullptr ? CarriedAnswers::Reads{}
                                         : CarriedAnswers::reads_of(bound.instance->declarations, bound.binding, *events_.plan());
    };
    for (Rule& rule : rules_) {
        rule.keeps_its_word = true;
        rule.reads = reads_of(rule.bound);
        for (Variant& variant : rule.variants) variant.reads = reads_of(variant.bound);
    }
}

core::Result<std::shared_ptr<WindowMemory>> EvaluationEngine::memory_for(const PayloadAccess& access) {
    if (auto known = memories_[access].lock()) return known;
    auto made = WindowMemory::make(access, settings_.window_bytes);
    if (made) memories_[access] = *made;
    return made;
}

// The guilty one gets a worker of its own, for as long as its file stays the same.
void EvaluationEngine::put_apart(const RuleRunner& runner, std::size_t member) {
    const ports::RuleSpec& spec = runner.spec(member);
    split_.insert({spec.plugin.rule_id, spec.plugin.sha256});
    sink_.log(ports::LogLevel::warning, "plugins", "group_split", "a rule ended the worker of its group and gets one of its own",
              {{"rule_id", spec.plugin.rule_id}, {"group", spec.group}});
}

// In the middle of a run: windows are written and bound, so only the runners change.
void EvaluationEngine::split_group(const RuleRunner& runner, std::size_t member) {
    put_apart(runner, member);
    const std::vector<Rule> before = rules_;
    assign_runners(before);
    make_instances();
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        rules_[i].bound.binding = before[i].bound.binding;
        rules_[i].bound.memory = before[i].bound.memory;
        for (std::size_t k = 0; k < rules_[i].variants.size() && k < before[i].variants.size(); ++k) {
            rules_[i].variants[k].bound.binding = before[i].variants[k].bound.binding;
            rules_[i].variants[k].bound.memory = before[i].variants[k].bound.memory;
            rules_[i].variants[k].reads = before[i].variants[k].reads;
        }
    }
    plan_is_stale_ = true;
}

core::Result<void> EvaluationEngine::catch_up(core::Instant now) {
    take_next_steps();
    if (std::exchange(plan_is_stale_, false)) plan_columns();
    return events_.catch_up(now);
}

std::vector<core::Scope> EvaluationEngine::scopes() const { return events_.scopes(); }

EvaluationEngine::Rule* EvaluationEngine::find(const std::string& rule_id) {
    return const_cast<Rule*>(std::as_const(*this).find(rule_id));
}

const EvaluationEngine::Rule* EvaluationEngine::find(const std::string& rule_id) const {
    const auto found = places_.find(rule_id);
    return found == places_.end() ? nullptr : &rules_[found->second];
}

Failed EvaluationEngine::not_loaded(const std::string& rule_id) const {
    if (no_nursery_) return *no_nursery_;
    return Failed{FailureReason::not_loaded, Phase::load, clean_message("there is no plugin for rule " + rule_id), 0, 0, {}};
}

core::Result<void> EvaluationEngine::add_scope(EvaluationBatch& batch, const core::Scope& scope,
                                               std::span<const ports::Evaluation> evaluations,
                                               std::span<const std::size_t> members, std::vector<core::Verdict>& verdicts,
                                               std::vector<Shadow>& shadows) {
    std::vector<Demand> live;
    std::vector<Demand> beyond;  // reads that begin before what the live columns hold
    core::Window range{core::Instant::max(), core::Instant::min()};
    for (const std::size_t i : members) {
        const ports::Evaluation& asked = evaluations[i];
        Rule* rule = find(asked.rule_id);
        BoundRule* const bound = rule == nullptr ? nullptr : &rule->bound_for(asked);
        if (bound == nullptr || bound->failure) {
            verdicts[i] = bound == nullptr ? not_loaded(asked.rule_id) : *bound->failure;
            continue;
        }
        const auto place = static_cast<std::size_t>(rule - rules_.data());
        if (may_carry(*rule, asked)) {
            if (auto answer = carried_.find(place, rule->reads_for(asked), asked, events_)) {
                verdicts[i] = std::move(*answer);
                continue;
            }
        }
        const auto demand_answer = [&](std::size_t index, BoundRule& answering) {
            Demand demand = demand_of(index, answering, asked, *events_.plan());
            if (demand.hull.since >= events_.live_since()) return live.push_back(std::move(demand));
            range = {std::min(range.since, demand.hull.since), std::max(range.until, demand.hull.until)};
            beyond.push_back(std::move(demand));
        };
        demand_answer(i, *bound);
        if (!rule->candidate || !rule->candidate->takes_window()) continue;
        shadows.push_back({place, verdicts.size()});
        verdicts.emplace_back(core::Failed{});
        demand_answer(verdicts.size() - 1, rule->candidate->bound_for(asked));
    }
    if (auto done = batch.add(ScopeView::live(events_, scope), live); !done) return done;
    if (beyond.empty()) return {};
    auto columns = events_.read_range(scope, range);
    if (!columns) return tl::unexpected{columns.error()};
    return batch.add(ScopeView::ranged(events_, scope, std::move(*columns)), beyond);
}

core::Result<std::vector<core::Verdict>> EvaluationEngine::evaluate(std::span<const ports::Evaluation> evaluations) {
    std::vector<core::Verdict> verdicts(evaluations.size(), core::Failed{});
    if (no_nursery_) {
        std::fill(verdicts.begin(), verdicts.end(), core::Verdict{*no_nursery_});
        return verdicts;
    }
    if (plan_is_stale_ && !evaluations.empty())
        if (auto done = catch_up(evaluations.front().now); !done) return tl::unexpected{done.error()};
    const CpuPin pin{cpu_};
    EvaluationBatch batch{verdicts, [this](const RuleRunner& runner, std::size_t member) { split_group(runner, member); },
                          replays_};
    std::vector<Shadow> shadows;
    for (const auto& [scope, members] : by_scope(evaluations))
        if (auto done = add_scope(batch, scope, evaluations, members, verdicts, shadows); !done)
            return tl::unexpected{done.error()};
    batch.flush();
    judge_versions(evaluations, verdicts, shadows);
    verdicts.resize(evaluations.size());
    audit(evaluations, verdicts);
    carry(evaluations, verdicts);
    return verdicts;
}

// A version that has to prove itself is asked every time.
bool EvaluationEngine::may_carry(const Rule& rule, const ports::Evaluation& asked) const {
    return carries_ && rule.keeps_its_word && !asked.explain && !rule.probation &&
           !(rule.candidate && rule.candidate->stage == Candidate::Stage::shadow);
}

void EvaluationEngine::carry(std::span<const ports::Evaluation> evaluations, std::span<const core::Verdict> verdicts) {
    std::set<std::size_t> failed;  // rules
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        const auto* answer = std::get_if<core::Completed>(&verdicts[i]);
        if (answer != nullptr && answer->carried) continue;
        const Rule* rule = find(evaluations[i].rule_id);
        if (rule == nullptr) continue;
        const auto place = static_cast<std::size_t>(rule - rules_.data());
        if (answer == nullptr) {
            // It has to show itself again: a rule on probation after a failure must not live on what it said before.
            if (weight_of(std::get<Failed>(verdicts[i])) != FailureWeight::none) failed.insert(place);
        } else if (may_carry(*rule, evaluations[i])) {
            carried_.put(place, evaluations[i], *answer, events_);
        }
    }
    for (const std::size_t place : failed) carried_.forget(place);
}

core::Verdict EvaluationEngine::evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                                std::span<const core::Event> events) {
    Rule* rule = find(evaluation.rule_id);
    if (rule == nullptr || no_nursery_ || !rule->bound.runner) return not_loaded(evaluation.rule_id);
    const CpuPin pin{cpu_};
    auto instance = rule->bound.runner->instance(rule->bound.member, params);
    if (auto* failed = std::get_if<Failed>(&instance)) return std::move(*failed);
    const BoundRule bound{rule->bound.runner, rule->bound.member, std::get<RuleRunner::Instance*>(instance), {}, nullptr, {}};
    const auto memory = [this](const PayloadAccess& access) { return memory_for(access); };
    return judge_given(bound, evaluation, events, events_.reader(), memory, replays_);
}

std::optional<Failed> EvaluationEngine::selftest(const std::string& rule_id) {
    const Rule* rule = find(rule_id);
    if (rule == nullptr || rule->bound.failure || rule->bound.instance == nullptr) return not_loaded(rule_id);
    return rule->bound.runner->selftest(*rule->bound.instance);
}

int EvaluationEngine::worker_pid(const std::string& rule_id) const {
    const Rule* rule = find(rule_id);
    return rule == nullptr || !rule->bound.runner ? 0 : rule->bound.runner->worker_pid();
}

std::uint32_t EvaluationEngine::posture(const std::string& rule_id) const {
    const Rule* rule = find(rule_id);
    return rule == nullptr || !rule->bound.runner ? 0 : rule->bound.runner->posture();
}

}  // namespace varde::evaluate
