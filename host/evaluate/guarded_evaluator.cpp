#include "evaluate/guarded_evaluator.hpp"

#include "evaluate/guard_log.hpp"
#include "evaluate/guard_text.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <random>
#include <utility>

namespace varde::evaluate {

using core::BreakerState;
using core::Failed;
using core::FailureReason;

namespace {

constexpr std::chrono::seconds kLookEvery{1};

core::BreakerRecord fresh(const std::string& rule_id, const std::string& sha256, core::Instant now) {
    core::BreakerRecord record;
    record.rule_id = rule_id;
    record.sha256 = sha256;
    record.changed_at = now;
    return record;
}

bool is_blank(const core::BreakerRecord& record) { return record.state == BreakerState::healthy && record.recent.empty(); }

/// Nothing in it is worth storing: rules without failures need no row, and clean answers, which come in every run, count between
/// probes only.
bool is_saved(const core::BreakerRecord& saved, const core::BreakerRecord& record) {
    if (is_blank(saved) && is_blank(record)) return true;
    auto expected = saved;
    if (record.state != BreakerState::probing) expected.clean = record.clean;
    return expected == record;
}

/// No incident: nothing happened.
bool is_silent(const Failed& failed) {
    return failed.reason == FailureReason::quarantined || failed.reason == FailureReason::not_loaded;
}

/// A process dies once, whoever is told of it.
bool is_same_death(const core::Evidence* before, const Failed& failed) {
    const auto* const now = failed.evidence.get();
    if (before == nullptr || now == nullptr) return false;
    const auto weight = weight_of(failed);
    const bool died = weight == FailureWeight::lost_worker || weight == FailureWeight::violation;
    return before == now || (died && now->pid != 0 && before->pid == now->pid && before->incarnation == now->incarnation);
}

}  // namespace

GuardChance GuardChance::of_system() {
    return {[random = std::mt19937_64{std::random_device{}()}]() mutable { return std::generate_canonical<double, 53>(random); },
            [generator = std::make_shared<boost::uuids::random_generator>()] { return boost::uuids::to_string((*generator)()); }};
}

/// One of configure()'s rules.
struct GuardedEvaluator::Rule {
    explicit Rule(Breaker new_breaker) : breaker{std::move(new_breaker)} {}

    core::Evidence plugin;  ///< which file: the first fields only
    Breaker breaker;
    core::BreakerRecord logged = breaker.record();
    core::BreakerRecord saved = breaker.record();
    bool refused = false;

    // Of the batch in progress:
    bool answered = false;
    std::optional<Breaker::Failure> alive_failure;
    std::shared_ptr<const core::Evidence> evidence;   ///< of the last failure, as the evaluator gave it
    std::shared_ptr<const core::Evidence> completed;  ///< the same with what was done about it
    std::string incident_id;                          ///< of the last failure

    void begin_batch() {
        answered = false;
        alive_failure.reset();
        evidence.reset();
        completed.reset();
    }
};

GuardedEvaluator::GuardedEvaluator(ports::Evaluator& next, GuardPorts ports, const GuardSettings& settings, GuardChance chance)
    : next_{next},
      ports_{ports},
      settings_{settings},
      chance_{std::move(chance)},
      journal_{ports.incidents, {settings.keep_incidents, settings.breaker.window}, ports.log, chance_.incident_id} {}

GuardedEvaluator::~GuardedEvaluator() = default;

core::Result<void> GuardedEvaluator::catch_up(core::Instant now) { return next_.catch_up(now); }

std::vector<core::Scope> GuardedEvaluator::scopes() const { return next_.scopes(); }

core::Verdict GuardedEvaluator::evaluate_events(const ports::Evaluation& evaluation, const std::string& params,
                                                std::span<const core::Event> events) {
    return next_.evaluate_events(evaluation, params, events);
}

GuardedEvaluator::Rule* GuardedEvaluator::find(const std::string& rule_id) {
    const auto found = rules_.find(rule_id);
    return found == rules_.end() ? nullptr : found->second.get();
}

// --- which rules there are ---------------------------------------------------------------------------------------------------

std::vector<std::optional<Failed>> GuardedEvaluator::configure(std::vector<ports::RuleSpec> rules) {
    std::vector<ports::Plugin> plugins;
    plugins.reserve(rules.size());
    for (const auto& spec : rules) {
        plugins.push_back(spec.plugin);
        plugins.back().bytes.reset();  // the file is the evaluator's
    }
    auto failures = next_.configure(std::move(rules));
    const auto now = ports_.clock.now();
    look(now, !persisted_.empty());
    for (std::size_t i = 0; i < plugins.size(); ++i) {
        Rule& rule = enlist(plugins[i], now);
        const bool refused = i < failures.size() && failures[i].has_value();
        rule.refused = refused;
        if (refused) refuse(rule, *failures[i], now);
    }
    settle(now);
    return failures;
}

GuardedEvaluator::Rule& GuardedEvaluator::enlist(const ports::Plugin& plugin, core::Instant now) {
    auto& known = rules_[plugin.rule_id];
    if (!known) {
        known = std::make_unique<Rule>(Breaker{settings_.breaker, fresh(plugin.rule_id, plugin.sha256, now)});
    } else if (known->breaker.record().sha256 != plugin.sha256) {
        const bool was_out = is_out(known->breaker.record().state);
        known->breaker = Breaker{settings_.breaker, fresh(plugin.rule_id, plugin.sha256, now)};
        known->logged = known->breaker.record();
        if (was_out) log_back_in_service(ports_.log, known->logged, "another plugin file");
    }
    known->plugin.path = plugin.path;
    known->plugin.version = plugin.version;
    known->plugin.sdk = plugin.sdk;
    known->plugin.sha256 = plugin.sha256;
    adopt(*known);
    return *known;
}

/// Goes on where the last process stopped.
void GuardedEvaluator::adopt(Rule& rule) {
    const auto& record = rule.breaker.record();
    auto found = persisted_.extract(record.rule_id);
    if (found.empty()) return;
    const auto& row = found.mapped();
    rule.saved = row;
    if (row.sha256 != record.sha256) {
        if (is_out(row.state)) log_back_in_service(ports_.log, rule.breaker.record(), "another plugin file");
    } else if (record.state == BreakerState::healthy) {  // else it failed again before the database could be read
        rule.breaker = Breaker{settings_.breaker, row};
        rule.logged = row;
    }
}

void GuardedEvaluator::refuse(Rule& rule, Failed& failed, core::Instant now) {
    if (is_silent(failed)) return;
    rule.begin_batch();
    const bool is_new = take_failure(rule, failed, now);
    ports::Evaluation nobody;
    nobody.rule_id = rule.breaker.record().rule_id;
    nobody.scope = {"", "", ""};
    complete(rule, failed, nobody, now, is_new);
}

// --- evaluate ----------------------------------------------------------------------------------------------------------------

core::Result<std::vector<core::Verdict>> GuardedEvaluator::evaluate(std::span<const ports::Evaluation> evaluations) {
    const auto begin = ports_.clock.now();
    look(begin, false);
    std::vector<core::Verdict> verdicts(evaluations.size(), Failed{});
    const auto turns = choose(evaluations, begin, verdicts);
    auto answers = ask(evaluations, turns);
    const auto end = ports_.clock.now();
    if (answers) {
        judge(evaluations, turns, *answers, end);
        for (std::size_t i = 0; i < turns.size(); ++i) verdicts[turns[i].index] = std::move((*answers)[i]);
    }
    settle(end);
    if (!answers) return tl::unexpected{answers.error()};
    return verdicts;
}

std::vector<GuardedEvaluator::Turn> GuardedEvaluator::choose(std::span<const ports::Evaluation> evaluations, core::Instant now,
                                                             std::vector<core::Verdict>& verdicts) {
    std::vector<Turn> turns;
    std::map<std::string, std::vector<std::size_t>> candidates;  // of rules to be probed
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
        Rule* const rule = find(evaluations[i].rule_id);
        switch (rule == nullptr || rule->refused ? Breaker::Turn::ask : rule->breaker.turn(now)) {
            case Breaker::Turn::ask: turns.push_back({i, rule, false}); break;
            case Breaker::Turn::wait: verdicts[i] = out_of_service(rule->breaker.record()); break;
            case Breaker::Turn::probe: candidates[evaluations[i].rule_id].push_back(i); break;
        }
    }
    for (auto& [rule_id, places] : candidates) {
        Rule& rule = *find(rule_id);
        log_change(rule);
        const auto first =
            std::min(static_cast<std::size_t>(chance_.unit() * static_cast<double>(places.size())), places.size() - 1);
        std::ranges::rotate(places, places.begin() + static_cast<std::ptrdiff_t>(first));
        const std::size_t probes = std::min<std::size_t>(rule.breaker.probes_left(), places.size());
        for (std::size_t i = 0; i < probes; ++i) turns.push_back({places[i], &rule, true});
        for (std::size_t i = probes; i < places.size(); ++i) verdicts[places[i]] = out_of_service(rule.breaker.record());
    }
    // The evaluator works scope by scope, and rules in order.
    if (!candidates.empty()) std::ranges::sort(turns, {}, &Turn::index);
    return turns;
}

core::Result<std::vector<core::Verdict>> GuardedEvaluator::ask(std::span<const ports::Evaluation> evaluations,
                                                               std::span<const Turn> turns) {
    if (turns.empty()) return std::vector<core::Verdict>{};
    core::Result<std::vector<core::Verdict>> answers;
    if (turns.size() == evaluations.size()) {
        answers = next_.evaluate(evaluations);
    } else {
        std::vector<ports::Evaluation> some;
        some.reserve(turns.size());
        for (const auto& turn : turns) some.push_back(evaluations[turn.index]);
        answers = next_.evaluate(some);
    }
    if (answers && answers->size() != turns.size()) {
        return core::fail(core::Errc::worker_failed,
                          fmt::format("{} verdicts came for {} evaluations", answers->size(), turns.size()));
    }
    return answers;
}

void GuardedEvaluator::judge(std::span<const ports::Evaluation> evaluations, std::span<const Turn> turns,
                             std::vector<core::Verdict>& answers, core::Instant now) {
    for (const auto& turn : turns)
        if (turn.rule != nullptr) turn.rule->begin_batch();
    std::vector<std::pair<std::size_t, bool>> failures;  // and whether its incident is new
    for (std::size_t i = 0; i < turns.size(); ++i) {
        if (turns[i].rule == nullptr) continue;
        if (auto* const failed = std::get_if<Failed>(&answers[i])) {
            if (!is_silent(*failed)) failures.emplace_back(i, take_failure(*turns[i].rule, *failed, now));
        } else {
            take_answer(turns[i], answers[i], now);
        }
    }
    for (auto& [rule_id, rule] : rules_) {
        if (rule->alive_failure && !rule->answered) rule->breaker.failed(*rule->alive_failure, now, chance_.unit());
        rule->alive_failure.reset();
    }
    for (const auto& [i, is_new] : failures) {
        complete(*turns[i].rule, std::get<Failed>(answers[i]), evaluations[turns[i].index], now, is_new);
    }
}

void GuardedEvaluator::take_answer(const Turn& turn, core::Verdict& answer, core::Instant now) const {
    auto& breaker = turn.rule->breaker;
    turn.rule->answered = true;
    if (std::get<core::Completed>(answer).carried && !turn.is_probe) return;  // nothing ran that could have failed
    const auto incident_id = breaker.record().incident_id;
    breaker.answered(now);
    if (!turn.is_probe) return;
    if (breaker.record().state == BreakerState::quarantined) {  // another probe has failed
        answer = out_of_service(breaker.record());
    } else {
        answer = dropped_probe(breaker.record(), settings_.breaker.probes - breaker.probes_left(), settings_.breaker.probes);
    }
    std::get<Failed>(answer).incident_id = incident_id;
}

/// Whether the failure's incident is a new one.
bool GuardedEvaluator::take_failure(Rule& rule, Failed& failed, core::Instant now) {
    // After a worker died too often the evaluator gives the rest of a batch the same failure without asking.
    if (is_same_death(rule.evidence.get(), failed)) {
        failed.incident_id = rule.incident_id;
        return false;
    }
    const auto& ran = failed.evidence && !failed.evidence->sha256.empty() ? failed.evidence->sha256 : rule.plugin.sha256;
    const std::string rule_id = rule.breaker.record().rule_id;
    // An older version that still serves while the new one is tried out has a record of its own.
    if (ran != rule.breaker.record().sha256) rule.breaker = Breaker{settings_.breaker, fresh(rule_id, ran, now)};
    const auto entry = journal_.entry_for(rule_id, ran, failed, now);
    rule.evidence = failed.evidence;
    rule.completed.reset();
    rule.incident_id = failed.incident_id = entry.incident_id;
    if (rule.refused) return entry.is_new;
    Breaker::Failure failure{weight_of(failed), short_reason(failed), entry.incident_id};
    if (failure.weight == FailureWeight::alive && rule.breaker.record().state != BreakerState::probing) {
        rule.alive_failure = std::move(failure);
    } else {
        rule.breaker.failed(failure, now, chance_.unit());
    }
    return entry.is_new;
}

void GuardedEvaluator::complete(Rule& rule, Failed& failed, const ports::Evaluation& evaluation, core::Instant now, bool is_new) {
    const bool is_last = failed.evidence && failed.evidence == rule.evidence;
    if (is_last && rule.completed) {
        failed.evidence = rule.completed;
    } else {
        core::Evidence evidence = failed.evidence ? *failed.evidence : rule.plugin;
        if (!failed.evidence) evidence.window = evaluation.window;
        describe_action(evidence, rule.breaker.record(), failed, rule.refused);
        failed.evidence = std::make_shared<const core::Evidence>(std::move(evidence));
        if (is_last) rule.completed = failed.evidence;
    }
    if (!is_new) return;
    core::Incident incident;
    incident.incident_id = failed.incident_id;
    incident.at = incident.last_at = now;
    incident.rule_id = evaluation.rule_id;
    incident.scope = evaluation.scope;
    incident.failure = failed;
    journal_.add(std::move(incident));
}

// --- breakers: the database and the log --------------------------------------------------------------------------------------

void GuardedEvaluator::look(core::Instant now, bool at_once) {
    const bool all_healthy =
        std::ranges::all_of(rules_, [](const auto& one) { return one.second->breaker.record().state == BreakerState::healthy; });
    if (loaded_ && all_healthy && persisted_.empty()) return;
    if (loaded_ && !at_once && now >= looked_at_ && now - looked_at_ < kLookEvery) return;
    looked_at_ = now;
    auto seen = journal_.look(now);
    if (!seen) return;
    if (!std::exchange(loaded_, true)) {
        for (auto& row : seen->rows)
            if (!is_blank(row)) persisted_.emplace(row.rule_id, std::move(row));
        for (auto& [rule_id, rule] : rules_) adopt(*rule);
    }
    for (const auto& rule_id : seen->released) {
        persisted_.erase(rule_id);
        Rule* const rule = find(rule_id);
        if (rule == nullptr || rule->breaker.record().state == BreakerState::healthy) continue;
        if (is_out(rule->breaker.record().state)) log_back_in_service(ports_.log, rule->breaker.record(), "released");
        rule->breaker.release(now);
        rule->logged = rule->saved = rule->breaker.record();
    }
}

void GuardedEvaluator::settle(core::Instant now) {
    const auto is_unsaved = [](const auto& one) { return !is_saved(one.second->saved, one.second->breaker.record()); };
    // Who released a rule while it failed once more meant that rule, not only the failures before.
    if (std::ranges::any_of(rules_, is_unsaved)) look(now, true);
    for (auto& [rule_id, rule] : rules_) {
        log_change(*rule);
        if (is_saved(rule->saved, rule->breaker.record())) continue;
        rule->saved = rule->breaker.record();
        journal_.save(rule->saved);
    }
    journal_.flush(now);
}

void GuardedEvaluator::log_change(Rule& rule) {
    const auto& record = rule.breaker.record();
    if (rule.logged.state == record.state && rule.logged.until == record.until) return;
    log_breaker_change(ports_.log, std::exchange(rule.logged, record), record, settings_.breaker.probes);
}

std::vector<core::BreakerRecord> GuardedEvaluator::breakers() {
    look(ports_.clock.now(), false);
    std::vector<core::BreakerRecord> unhealthy;
    for (const auto& [rule_id, rule] : rules_) {
        if (rule->breaker.record().state != BreakerState::healthy) unhealthy.push_back(rule->breaker.record());
    }
    return unhealthy;
}

void GuardedEvaluator::release(const std::string& rule_id) {
    const auto now = ports_.clock.now();
    if (!loaded_) look(now, true);
    if (const auto row = persisted_.extract(rule_id); !row.empty()) journal_.save(fresh(rule_id, row.mapped().sha256, now));
    if (Rule* const rule = find(rule_id); rule != nullptr && rule->breaker.record().state != BreakerState::healthy) {
        if (is_out(rule->breaker.record().state)) log_back_in_service(ports_.log, rule->breaker.record(), "switched");
        rule->breaker.release(now);
        rule->logged = rule->breaker.record();
    }
    settle(now);
}

}  // namespace varde::evaluate
