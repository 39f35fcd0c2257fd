#pragma once
#include "fakes/gate.hpp"
#include "ports/evaluator.hpp"
#include "ports/plugin_catalogue.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace varde::scripted {

inline core::Completed answered(core::Outcome outcome) {
    core::Completed completed;
    completed.outcome = outcome;
    return completed;
}
inline core::Completed not_met() { return answered(core::Outcome::not_met); }
inline core::Completed no_data() { return answered(core::Outcome::no_data); }
inline core::Finding finding(core::Severity severity, std::string title) {
    core::Finding finding;
    finding.severity = severity;
    finding.title = std::move(title);
    return finding;
}
inline core::Completed met(core::Severity severity = core::Severity::medium, std::string title = "found") {
    auto completed = answered(core::Outcome::met);
    completed.findings.push_back(finding(severity, std::move(title)));
    return completed;
}
inline core::Failed failed(core::FailureReason reason = core::FailureReason::rule_error, std::string message = "failed") {
    core::Failed failed;
    failed.reason = reason;
    failed.message = std::move(message);
    return failed;
}

/// An evaluator whose rules answer what the test wrote down: per rule and scope, per rule, else not_met. Thread-safe.
class Evaluator final : public ports::Evaluator {
  public:
    std::vector<core::Scope> known_scopes{{}};
    /// evaluate() passes it before it answers.
    fakes::Gate gate;

    void says(const std::string& rule_id, core::Verdict verdict) {
        const std::lock_guard lock{mutex_};
        by_rule_.insert_or_assign(rule_id, std::move(verdict));
    }
    void says(const std::string& rule_id, const core::Scope& scope, core::Verdict verdict) {
        const std::lock_guard lock{mutex_};
        by_scope_.insert_or_assign({rule_id, scope}, std::move(verdict));
    }
    /// Takes back what it says about this scope alone.
    void forget(const std::string& rule_id, const core::Scope& scope) {
        const std::lock_guard lock{mutex_};
        by_scope_.erase({rule_id, scope});
    }
    /// While set, catch_up() fails with it.
    void cannot_read(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        read_failure_ = code;
    }
    /// configure() refuses this rule.
    void refuses(const std::string& rule_id, core::Failed why) { refused_.insert_or_assign(rule_id, std::move(why)); }

    /// try_params() refuses these parameters of this rule.
    void refuses(const std::string& rule_id, const std::string& params, core::Failed why) {
        const std::lock_guard lock{mutex_};
        refused_params_.insert_or_assign({rule_id, params}, std::move(why));
    }
    /// The parameters that try_params() was asked about.
    [[nodiscard]] std::vector<std::string> tried() const {
        const std::lock_guard lock{mutex_};
        return tried_;
    }

    [[nodiscard]] std::vector<ports::Evaluation> asked() const {
        const std::lock_guard lock{mutex_};
        return asked_;
    }
    [[nodiscard]] std::vector<std::vector<ports::RuleSpec>> configured() const {
        const std::lock_guard lock{mutex_};
        return configured_;
    }

    /// What breakers() says.
    void has_breakers(std::vector<core::BreakerRecord> breakers) {
        const std::lock_guard lock{mutex_};
        breakers_ = std::move(breakers);
    }
    [[nodiscard]] std::vector<std::string> released() const {
        const std::lock_guard lock{mutex_};
        return released_;
    }

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override {
        const std::lock_guard lock{mutex_};
        std::vector<std::optional<core::Failed>> problems;
        for (const auto& rule : rules) {
            const auto found = refused_.find(rule.plugin.rule_id);
            problems.push_back(found == refused_.end() ? std::nullopt : std::optional{found->second});
        }
        configured_.push_back(std::move(rules));
        return problems;
    }
    [[nodiscard]] std::optional<core::Failed> try_params(const std::string& rule_id, const std::string& params) override {
        const std::lock_guard lock{mutex_};
        tried_.push_back(params);
        const auto found = refused_params_.find({rule_id, params});
        return found == refused_params_.end() ? std::nullopt : std::optional{found->second};
    }
    core::Result<void> catch_up(core::Instant) override {
        const std::lock_guard lock{mutex_};
        if (read_failure_) return core::fail(*read_failure_, "scripted: catch_up");
        return {};
    }
    [[nodiscard]] std::vector<core::Scope> scopes() const override { return known_scopes; }
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override {
        gate.pass();
        const std::lock_guard lock{mutex_};
        std::vector<core::Verdict> verdicts;
        for (const auto& evaluation : evaluations) {
            asked_.push_back(evaluation);
            verdicts.push_back(verdict_of(evaluation));
        }
        return verdicts;
    }
    core::Verdict evaluate_events(const ports::Evaluation&, const std::string&, std::span<const core::Event>) override {
        return failed(core::FailureReason::not_loaded);
    }
    [[nodiscard]] std::vector<core::BreakerRecord> breakers() override {
        const std::lock_guard lock{mutex_};
        return breakers_;
    }
    void release(const std::string& rule_id) override {
        const std::lock_guard lock{mutex_};
        released_.push_back(rule_id);
    }

  private:
    [[nodiscard]] core::Verdict verdict_of(const ports::Evaluation& evaluation) const {
        const auto in_scope = by_scope_.find({evaluation.rule_id, evaluation.scope});
        if (in_scope != by_scope_.end()) return in_scope->second;
        const auto of_rule = by_rule_.find(evaluation.rule_id);
        return of_rule == by_rule_.end() ? core::Verdict{not_met()} : of_rule->second;
    }
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, core::Scope>, core::Verdict> by_scope_;
    std::map<std::string, core::Verdict> by_rule_;
    std::map<std::string, core::Failed> refused_;
    std::map<std::pair<std::string, std::string>, core::Failed> refused_params_;
    std::vector<std::string> tried_;
    std::optional<core::Errc> read_failure_;
    std::vector<ports::Evaluation> asked_;
    std::vector<std::vector<ports::RuleSpec>> configured_;
    std::vector<core::BreakerRecord> breakers_;
    std::vector<std::string> released_;
};

/// A plugin folder whose content the test decides. Thread-safe.
class Catalogue final : public ports::PluginCatalogue {
  public:
    void holds(ports::Catalogue catalogue) {
        const std::lock_guard lock{mutex_};
        catalogue_ = std::move(catalogue);
    }
    void cannot_be_read(std::string why) {
        const std::lock_guard lock{mutex_};
        catalogue_ = core::fail(core::Errc::io_failed, std::move(why));
    }
    core::Result<ports::Catalogue> scan() override {
        const std::lock_guard lock{mutex_};
        return catalogue_;
    }

  private:
    std::mutex mutex_;
    core::Result<ports::Catalogue> catalogue_{ports::Catalogue{}};
};

inline ports::Plugin plugin(const std::string& rule_id, const std::string& version = "1.0.0") {
    ports::Plugin plugin;
    plugin.path = "plugins/" + rule_id + ".so";
    plugin.rule_id = rule_id;
    plugin.version = version;
    plugin.sha256 = "sha-of-" + rule_id + "-" + version;
    return plugin;
}

}  // namespace varde::scripted
