#include "rules/rule_run.hpp"

#include "rules/run_decisions.hpp"
#include "rules/run_writer.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>

namespace varde::rules {
namespace {

constexpr core::Instant kEarliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
constexpr core::Instant kLatest = std::chrono::sys_days{std::chrono::year{9000} / 1 / 1};

/// A machine whose clock was never set must not close deviations or open ones dated 1970.
core::Result<void> check_time(core::Instant now) {
    if (now >= kEarliest && now < kLatest) return {};
    return core::fail(
        core::Errc::invalid_argument,
        fmt::format("the clock says {} us since 1970, which is no plausible time; set the clock", core::to_us(now)));
}

}  // namespace

ports::RunSummary RuleRun::run(const config::RulesConfig& config, const RunRequest& request) {
    ports::RunSummary summary;
    summary.run_id = request.run_id;
    summary.started_at = ports_.clock.now();
    RunLog log{ports_.log, request.run_id};
    log.run_started(request.interval, summary.started_at);
    const auto done = attempt(config, request, log, summary);
    summary.finished_at = ports_.clock.now();
    if (done) {
        log.run_finished(summary);
    } else {
        summary.error = done.error().context;
        log.run_failed(summary, done.error());
    }
    return summary;
}

core::Result<void> RuleRun::attempt(const config::RulesConfig& config, const RunRequest& request, RunLog& log,
                                    ports::RunSummary& summary) {
    const auto now = summary.started_at;
    if (auto plausible = check_time(now); !plausible) return plausible;
    auto rules = enabled_rules(config, request.homes, now);
    if (!rules) return tl::unexpected{rules.error()};
    std::erase_if(*rules, [&](const EnabledRule& rule) { return !request.selection.includes(rule.id); });
    if (auto read = ports_.evaluator.catch_up(now); !read) return read;

    const auto kept = states();
    if (!kept) return tl::unexpected{kept.error()};
    auto gates = Gates::read(config, ports_.baselines, ports_.modes, request.homes);
    if (!gates) return tl::unexpected{gates.error()};

    const auto book = decisions(now);
    if (!book) return tl::unexpected{book.error()};

    auto scopes = carried_;
    for (auto& scope : ports_.evaluator.scopes()) scopes.insert(std::move(scope));
    log.set_scopes(scopes.size());
    const auto reasons = *book == nullptr ? Judgements::Reasons::drop : Judgements::Reasons::keep;
    Judgements judgements{std::move(*rules), {scopes.begin(), scopes.end()}, now, std::move(*gates), reasons};
    summary.scopes = static_cast<std::int64_t>(scopes.size());
    summary.evaluations = static_cast<std::int64_t>(judgements.size());
    if (auto judged = judgements.judge(ports_.evaluator, **kept, request.abandoned); !judged) return judged;
    return write(config, request, judgements, log, summary);
}

core::Result<const RuleStates*> RuleRun::states() {
    if (!states_) {
        auto stored = ports_.deviations.rule_states();
        if (!stored) return tl::unexpected{stored.error()};
        states_.emplace(std::move(*stored));
    }
    return &*states_;
}

core::Result<DecisionBook*> RuleRun::decisions(core::Instant now) {
    if (ports_.decisions == nullptr || !ports_.keep_decisions.enabled) return nullptr;
    if (!decisions_) {
        auto newest = ports_.decisions->newest(now - DecisionBook::kRemembered);
        if (!newest) return tl::unexpected{newest.error()};
        decisions_.emplace(std::move(*newest), ports_.keep_decisions.flush);
    }
    return &*decisions_;
}

core::Result<void> RuleRun::write(const config::RulesConfig& config, const RunRequest& request, const Judgements& judgements,
                                  RunLog& log, ports::RunSummary& summary) {
    // Judging took what it took; the write lock is held from here on only.
    auto transaction = ports_.deviations.begin();
    if (!transaction) return tl::unexpected{transaction.error()};
    RunWriter writer{**transaction, config, summary.started_at, log, gated_, request.selection};
    if (auto written = writer.write(judgements, request.abandoned); !written) return written;
    const RunStamp run{request.run_id, summary.started_at, request.interval};
    std::vector<RunDecision> decided;
    if (decisions_) {
        decided = decisions_of(judgements, writer.unstored());
        if (auto kept = (*transaction)->keep_decisions(decisions_->due(decided, run)); !kept) return kept;
    }
    if (request.abandoned && request.abandoned()) {
        return core::fail(core::Errc::stopping, "the run was abandoned: the host is going down");
    }
    if (auto committed = (*transaction)->commit(); !committed) return committed;
    summary.counts = writer.counts();
    carried_ = writer.active_scopes();
    // Of rules that were not part of the run it is not known to have changed.
    std::erase_if(gated_, [&](const auto& pair) { return request.selection.includes(pair.first); });
    gated_.insert(writer.gated().begin(), writer.gated().end());
    for (const auto& state : writer.new_states()) states_->put(state);
    if (decisions_) {
        const bool flushed = decisions_->flushes_at(run.at);
        decisions_->adopt(decided, run);
        if (flushed) prune_decisions(judgements);
    }
    return {};
}

void RuleRun::prune_decisions(const Judgements& judgements) {
    // In small steps, for the write lock is everybody's; a day's new records are at most one of each kind and judgement, or few changes.
    const auto most = static_cast<std::int64_t>(judgements.size() + 1'000);
    const auto now = judgements.now();
    const auto pruned = ports_.decisions->prune(now - ports_.keep_decisions.keep_changes, now - ports_.keep_decisions.keep, most);
    if (pruned) return;
    ports_.log.log(ports::LogLevel::warning, "scheduler", "decisions_not_pruned",
                   "old records of decisions could not be deleted; a later run tries again",
                   {{"error", ports::Json{error_json(pruned.error())}}});
}

void RuleRun::forget() {
    finish();
    decisions_.reset();
    states_.reset();
}

void RuleRun::finish() {
    const auto records = decisions_ ? decisions_->unwritten() : std::vector<core::Decision>{};
    if (records.empty()) return;
    const auto done = [&]() -> core::Result<void> {
        auto transaction = ports_.deviations.begin();
        if (!transaction) return tl::unexpected{transaction.error()};
        if (auto kept = (*transaction)->keep_decisions(records); !kept) return kept;
        return (*transaction)->commit();
    }();
    if (done) return decisions_->written();
    ports_.log.log(ports::LogLevel::warning, "scheduler", "decisions_not_written",
                   "the last runs are missing in the records of decisions, which nothing else needs",
                   {{"records", static_cast<std::int64_t>(records.size())}, {"error", ports::Json{error_json(done.error())}}});
}

core::Result<std::vector<EnabledRule>> RuleRun::enabled_rules(const config::RulesConfig& config, const config::HomeRules* homes,
                                                              core::Instant now) {
    const auto rows = ports_.rules.list();
    if (!rows) return tl::unexpected{rows.error()};
    std::set<std::string> known;
    switched_off_.clear();
    for (const auto& row : *rows) {
        known.insert(row.rule_id);
        if (!row.is_enabled) switched_off_.insert(row.rule_id);
    }
    std::vector<EnabledRule> enabled;
    std::vector<std::string> missing;
    for (const auto& [id, settings] : config.rules) {
        if (!known.contains(id)) missing.push_back(id);
        const bool enabled_in_file = homes == nullptr ? settings.enabled_in_scheduler : homes->enabled_somewhere(id);
        if (enabled_in_file && !switched_off_.contains(id)) {
            enabled.push_back({id, settings.lookback, settings.expire_after});
        }
    }
    if (!missing.empty()) {
        if (auto made = ports_.rules.ensure(missing, now); !made) return tl::unexpected{made.error()};
    }
    release_switched(enabled);
    return enabled;
}

void RuleRun::release_switched(const std::vector<EnabledRule>& enabled) {
    std::set<std::string> now;
    for (const auto& rule : enabled) now.insert(rule.id);
    if (enabled_before_) {  // the first run knows nothing of switches, and a quarantine must survive a restart
        std::vector<std::string> switched;
        std::ranges::set_symmetric_difference(*enabled_before_, now, std::back_inserter(switched));
        for (const auto& rule_id : switched) ports_.evaluator.release(rule_id);
    }
    enabled_before_ = std::move(now);
}

}  // namespace varde::rules
