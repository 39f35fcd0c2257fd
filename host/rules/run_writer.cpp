#include "rules/run_writer.hpp"

#include "deviation/life_cycle.hpp"
#include "gating/truth_text.hpp"

#include <algorithm>

namespace varde::rules {

core::Result<void> RunWriter::write(const Judgements& judgements, const std::function<bool()>& abandoned) {
    if (auto loaded = load_active(); !loaded) return loaded;
    for (std::size_t i = 0; i < judgements.size(); ++i) {
        if (i % 256 == 0 && abandoned && abandoned()) {
            return core::fail(core::Errc::stopping, "the run was abandoned: the host is going down");
        }
        if (auto settled = settle(judgements, i); !settled) return settled;
    }
    return close_stale(judgements);
}

core::Result<void> RunWriter::load_active() {
    auto rows = transaction_.active();
    if (!rows) return tl::unexpected{rows.error()};
    for (auto& row : *rows) {
        Key key{row.rule_id, row.subject_key, row.scope};
        active_.emplace(std::move(key), std::move(row));
    }
    return {};
}

core::Result<void> RunWriter::settle(const Judgements& judgements, std::size_t i) {
    if (judgements.off(i)) return {};
    ++counts_.rules_total;
    const RuleInScope rule{judgements.rule(i).id, config_.default_subject_key, judgements.scope(i), judgements.window(i)};
    const auto fail_rule = [&](const std::string& error) {
        ++counts_.rules_failed;
        log_.rule_failed(rule, judgements.duration(i), error);
    };
    if (const auto* failed = judgements.failure(i)) {
        fail_rule(error_json(*failed));
        return {};
    }
    if (judgements.gated(i)) {
        settle_gated(judgements, rule);
        return {};
    }
    RuleResult result{judgements.duration(i), core::name_of(judgements.outcome(i))};
    result.mode = judgements.gates().mode(rule.rule_id, rule.scope);
    const auto* found = judgements.finding(i);
    const auto* finding = result.mode == core::MonitorMode::off ? nullptr : found;
    const auto state = judgements.new_state(i);
    if (finding != nullptr || state) {
        auto undone = in_savepoint([&]() -> core::Result<void> {
            if (finding != nullptr)
                if (auto done = store(judgements, rule, result.mode, *finding); !done) return done;
            return state ? transaction_.keep_state(*state, now_) : core::Result<void>{};
        });
        if (!undone) return tl::unexpected{undone.error()};
        if (*undone) {
            fail_rule(error_json(**undone));
            unstored_.emplace(i, (*undone)->context);
            return {};
        }
        if (finding != nullptr) result.upserted = 1;
        if (state) new_states_.push_back(*state);
    }
    ++counts_.rules_ok;
    counts_.deviations_upserted += result.upserted;
    result.news = result.upserted > 0 || found != nullptr || was_gated(rule);
    log_.rule_finished(rule, result);
    return {};
}

void RunWriter::settle_gated(const Judgements& judgements, const RuleInScope& rule) {
    const auto truth = judgements.gates().truth(rule.rule_id, rule.scope);
    RuleResult result{std::chrono::nanoseconds{0}, "gated"};
    result.evaluation_truth = gating::name_of(truth.truth);
    result.gating_reason = truth.gating_reason;
    result.mode = judgements.gates().mode(rule.rule_id, rule.scope);
    result.news = !was_gated(rule);
    gated_.emplace(rule.rule_id, rule.scope);
    ++counts_.rules_ok;
    ++counts_.rules_gated;
    log_.rule_finished(rule, result);
}

bool RunWriter::was_gated(const RuleInScope& rule) const {
    return !gated_before_.empty() && gated_before_.contains({rule.rule_id, rule.scope});
}

core::Result<void> RunWriter::store(const Judgements& judgements, const RuleInScope& rule, core::MonitorMode mode,
                                    const core::Finding& finding) {
    auto kept = finding;
    kept.evidence = gating::kept_evidence(finding.evidence, judgements.gates().truth(rule.rule_id, rule.scope), mode);
    return upsert({rule.rule_id, rule.subject_key, rule.scope}, kept, mode == core::MonitorMode::test);
}

core::Result<void> RunWriter::upsert(const Key& key, const core::Finding& finding, bool test_mode) {
    if (const auto found = active_.find(key); found != active_.end()) {
        auto row = deviation::seen_again(found->second, finding, now_);
        row.test_mode = test_mode;
        if (auto updated = transaction_.update(row); !updated) return updated;
        found->second = std::move(row);
        return {};
    }
    const auto episode = transaction_.next_episode(key.rule_id, key.scope, key.subject_key);
    if (!episode) return tl::unexpected{episode.error()};
    auto row = deviation::open(key.rule_id, key.scope, key.subject_key, finding, *episode, now_);
    row.test_mode = test_mode;
    const auto id = transaction_.insert(row);
    if (!id) return tl::unexpected{id.error()};
    row.deviation_id = *id;
    active_.emplace(key, std::move(row));
    return {};
}

const char* RunWriter::reason_to_close(const Judgements& judgements, const core::Deviation& row) const {
    if (const auto expire_after = judgements.expire_after(row.rule_id, row.scope)) {
        if (!deviation::is_stale(row, *expire_after, now_)) return nullptr;
        // As in the reference: what is not looked at for long enough does not stay open for ever.
        if (!judgements.gates().asks(row.rule_id, row.scope)) return "gated";
        if (judgements.gates().mode(row.rule_id, row.scope) == core::MonitorMode::off) return "monitor_off";
        return judgements.has_answer(row.rule_id, row.scope) ? "stale" : nullptr;
    }
    if (!selection_.includes(row.rule_id)) return nullptr;
    // Nobody looks any more. The row ends at the time it would have ended at anyway: a rule that is switched off and on again for a
    // moment, or lost to a bad edit, does not close what operators are working on.
    const auto settings = config_.rules.find(row.rule_id);
    std::chrono::microseconds expire_after =
        settings == config_.rules.end() ? config_.default_expire_after : settings->second.expire_after;
    if (const auto* home = judgements.gates().home_rule(row.rule_id, row.scope)) expire_after = home->expire_after;
    return deviation::is_stale(row, expire_after, now_) ? "rule_disabled" : nullptr;
}

core::Result<void> RunWriter::close_stale(const Judgements& judgements) {
    std::vector<Key> stale;
    for (const auto& [key, row] : active_) {
        if (reason_to_close(judgements, row) != nullptr) stale.push_back(key);
    }
    // The order of a hash table must not decide the order of rows and log lines.
    std::ranges::sort(stale, {}, [](const Key& key) { return std::tie(key.scope, key.rule_id, key.subject_key); });
    for (const auto& key : stale) {
        const auto& row = active_.at(key);
        const auto closed = deviation::close(row, reason_to_close(judgements, row), now_);
        auto undone = in_savepoint([&] { return transaction_.update(closed); });
        if (!undone) return tl::unexpected{undone.error()};
        if (*undone) {
            log_.rule_failed({key.rule_id, key.subject_key, key.scope, row.finding.window}, {}, error_json(**undone));
            continue;
        }
        ++counts_.deviations_closed;
        active_.erase(key);
    }
    return {};
}

std::set<core::Scope> RunWriter::active_scopes() const {
    std::set<core::Scope> scopes;
    for (const auto& [key, row] : active_) scopes.insert(key.scope);
    return scopes;
}

core::Result<std::optional<core::Error>> RunWriter::in_savepoint(const std::function<core::Result<void>()>& work) {
    if (auto begun = transaction_.begin_savepoint(); !begun) return tl::unexpected{begun.error()};
    if (auto done = work(); !done) {
        if (done.error().code == core::Errc::database_unavailable) return tl::unexpected{done.error()};
        if (auto undone = transaction_.rollback_savepoint(); !undone) return tl::unexpected{undone.error()};
        return std::optional{done.error()};
    }
    if (auto released = transaction_.release_savepoint(); !released) return tl::unexpected{released.error()};
    return std::optional<core::Error>{};
}

}  // namespace varde::rules
