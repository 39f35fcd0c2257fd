#pragma once
#include "evaluate/guarded_evaluator.hpp"
#include "fakes/incident_repository.hpp"
#include "fakes/log_sink.hpp"
#include "time/clock.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace varde::guard_test {

using core::BreakerState;
using core::FailureReason;

/// 2026-01-15T12:00:00Z and so many seconds.
inline core::Instant at(double seconds) {
    return core::instant_from_us(1'768'478'400'000'000 + static_cast<std::int64_t>(seconds * 1e6));
}

inline core::Failed failed(FailureReason reason = FailureReason::segmentation_fault, const std::string& message = "SIGSEGV") {
    core::Failed failed;
    failed.reason = reason;
    failed.message = message;
    if (reason == FailureReason::segmentation_fault) failed.signal = 11;
    return failed;
}
inline core::Failed failed_with(const core::Evidence& evidence, FailureReason reason = FailureReason::segmentation_fault) {
    auto result = failed(reason);
    result.evidence = std::make_shared<const core::Evidence>(evidence);
    return result;
}
inline core::Completed sound() {
    core::Completed completed;
    completed.outcome = core::Outcome::met;
    return completed;
}

/// The evaluator behind the guard.
class Scripted final : public ports::Evaluator {
  public:
    std::function<core::Verdict(const ports::Evaluation&)> answer = [](const ports::Evaluation&) { return sound(); };
    std::vector<std::optional<core::Failed>> refusals;  ///< of configure(), by position
    std::optional<core::Errc> failure;                  ///< of evaluate()
    std::vector<ports::Evaluation> asked;

    std::vector<std::optional<core::Failed>> configure(std::vector<ports::RuleSpec> rules) override {
        auto result = refusals;
        result.resize(rules.size());
        return result;
    }
    core::Result<void> catch_up(core::Instant) override { return {}; }
    [[nodiscard]] std::vector<core::Scope> scopes() const override { return {core::Scope{"org", "home", "subject"}}; }
    core::Result<std::vector<core::Verdict>> evaluate(std::span<const ports::Evaluation> evaluations) override {
        if (failure) return core::fail(*failure, "scripted: evaluate");
        std::vector<core::Verdict> verdicts;
        for (const auto& evaluation : evaluations) {
            asked.push_back(evaluation);
            verdicts.push_back(answer(evaluation));
        }
        return verdicts;
    }
    core::Verdict evaluate_events(const ports::Evaluation&, const std::string&, std::span<const core::Event>) override {
        return answer({});
    }
};

/// A guard with the default settings over fakes: R-001 (file aa11) and R-002 (file bb22). No jitter; incident ids count up.
struct Fixture {
    time::ManualClock clock{at(0)};
    Scripted next;
    fakes::IncidentRepository incidents;
    fakes::LogSink log;
    evaluate::GuardSettings settings;
    double unit = 0.5;
    int last_id = 0;
    std::unique_ptr<evaluate::GuardedEvaluator> guard;

    Fixture() { start(); }

    /// As after a restart of the host.
    void start() {
        guard = std::make_unique<evaluate::GuardedEvaluator>(
            next, evaluate::GuardPorts{incidents, clock, log}, settings,
            evaluate::GuardChance{[this] { return unit; }, [this] { return "incident-" + std::to_string(++last_id); }});
        (void)configure();
    }
    std::vector<std::optional<core::Failed>> configure(const std::string& sha256 = "aa11") {
        return guard->configure({spec("R-001", sha256), spec("R-002", "bb22")});
    }
    static ports::RuleSpec spec(const std::string& rule_id, const std::string& sha256) {
        ports::RuleSpec spec;
        spec.plugin.rule_id = rule_id;
        spec.plugin.sha256 = sha256;
        spec.plugin.path = "plugins/" + rule_id + ".so";
        spec.plugin.version = "1.0.0";
        spec.plugin.sdk = "c++";
        return spec;
    }
    static ports::Evaluation evaluation(const std::string& rule_id, int home = 1) {
        return {rule_id, {"org", "home-" + std::to_string(home), "subject"}, {at(-3600), at(0)}, at(0)};
    }
    /// R-001 for so many homes, at that second.
    std::vector<core::Verdict> run(double second, int homes = 1, const std::string& rule_id = "R-001") {
        clock.set(at(second));
        std::vector<ports::Evaluation> evaluations;
        for (int home = 1; home <= homes; ++home) evaluations.push_back(evaluation(rule_id, home));
        next.asked.clear();
        auto verdicts = guard->evaluate(evaluations);
        REQUIRE(verdicts.has_value());
        REQUIRE(verdicts->size() == evaluations.size());
        return std::move(*verdicts);
    }
    core::Verdict run_once(double second, const std::string& rule_id = "R-001") { return run(second, 1, rule_id).front(); }
    void always(const core::Verdict& verdict) {
        next.answer = [verdict](const ports::Evaluation&) { return verdict; };
    }
    /// Three lost workers at second 0: out until 32.
    void quarantine() {
        always(failed());
        run(0, 3);
        REQUIRE(state() == BreakerState::quarantined);
    }
    [[nodiscard]] BreakerState state() {
        for (const auto& one : guard->breakers())
            if (one.rule_id == "R-001") return one.state;
        return BreakerState::healthy;
    }
    [[nodiscard]] fakes::LogSink::Entry logged(std::string_view event) const {
        for (const auto& entry : log.entries())
            if (entry.event == event) return entry;
        FAIL("no such log event: " << std::string{event});
        return {};
    }
    [[nodiscard]] std::string logged_text(std::string_view event, std::string_view key) const {
        return std::get<std::string>(logged(event).fields.find(key)->second);
    }
};

inline core::Failed failure_of(const core::Verdict& verdict) {
    const auto* const failure = std::get_if<core::Failed>(&verdict);
    REQUIRE(failure != nullptr);
    return *failure;
}
inline bool is_out_of_service(const core::Verdict& verdict) {
    const auto* const failure = std::get_if<core::Failed>(&verdict);
    return failure != nullptr && failure->reason == FailureReason::quarantined;
}

}  // namespace varde::guard_test
