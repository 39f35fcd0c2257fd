#pragma once
#include "config/settings.hpp"
#include "evaluate/evaluation_engine.hpp"
#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "plugins/plugin_file.hpp"

#include "answer_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace varde::property {

/// Which parameters the rules get; window length and memory are those of config/rules.yaml in both.
enum class Params { defaults, shipped };
inline constexpr std::array kBothParams{Params::defaults, Params::shipped};

inline std::string name_of(Params params) { return params == Params::defaults ? "defaults" : "config/rules.yaml"; }

/// How long one answer may take: what config/rules.yaml says, or, where only the answer counts, so long that no busy machine decides.
enum class Deadline { configured, patient };

/// The real engine with all the shipped rules, each in its sandboxed worker, and an event log in memory.
class RuleBench {
  public:
    explicit RuleBench(Params params, Deadline deadline = Deadline::patient) : engine_{&log_, isolation(), sink_} {
        const auto config = config::load_rules(std::filesystem::path{VARDE_SOURCE_DIR} / "config/rules.yaml");
        REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().context));
        for (const auto& [id, settings] : config->rules) {
            auto plugin = plugins::inspect(std::filesystem::path{VARDE_PLUGINS_DIR} / (id + ".so"));
            REQUIRE_MESSAGE(plugin.has_value(), id);
            ports::RuleSpec spec;
            spec.plugin = std::move(*plugin);
            spec.params = params == Params::shipped ? settings.params : "{}";
            spec.timeout = deadline == Deadline::configured ? settings.timeout : std::chrono::seconds{60};
            spec.memory_bytes = settings.memory_mb << 20;
            spec.lookback = settings.lookback;
            rules_.emplace(id, spec);
        }
        std::vector<ports::RuleSpec> specs;
        for (const auto& [id, spec] : rules_) specs.push_back(spec);
        for (const auto& failure : engine_.configure(std::move(specs))) REQUIRE_MESSAGE(!failure, failure->message);
    }

    /// Both, by rule id.
    [[nodiscard]] const std::map<std::string, ports::RuleSpec>& rules() const { return rules_; }
    [[nodiscard]] evaluate::EvaluationEngine& engine() { return engine_; }
    [[nodiscard]] fakes::EventLog& log() { return log_; }

    /// A run at `until` as the scheduler asks: each rule about its own window, now is the end of it.
    [[nodiscard]] ports::Evaluation question(const std::string& rule, core::Instant until, core::Scope scope = {}) const {
        return {rule, std::move(scope), {until - rules_.at(rule).lookback, until}, until};
    }

    /// What a rule says to given events, with its steps.
    [[nodiscard]] core::Verdict judge_given(const std::string& rule, core::Instant until, std::span<const core::Event> events) {
        auto asked = question(rule, until);
        asked.explain = true;
        return engine_.evaluate_events(asked, rules_.at(rule).params, events);
    }

    /// What all rules say to what the log holds, in the order of rule ids.
    [[nodiscard]] std::vector<core::Verdict> judge_stored(core::Instant until, const core::Scope& scope) {
        std::vector<ports::Evaluation> asked;
        for (const auto& [id, spec] : rules_) asked.push_back(question(id, until, scope));
        REQUIRE(engine_.catch_up(until).has_value());
        auto verdicts = engine_.evaluate(asked);
        REQUIRE(verdicts.has_value());
        return std::move(*verdicts);
    }

    void store(std::vector<core::Event> events, const core::Scope& scope) {
        for (core::Event& event : events) event.scope = scope;
        REQUIRE(log_.append(events).has_value());
    }

  private:
    static config::HostConfig::Isolation isolation() {
        config::HostConfig::Isolation isolation;
        isolation.worker_path = VARDE_WORKER;
        return isolation;
    }

    std::map<std::string, ports::RuleSpec> rules_;
    fakes::EventLog log_;
    fakes::LogSink sink_;
    evaluate::EvaluationEngine engine_;
};

/// How often each rule found something, so that no property holds only because the rules are silent.
class SpokenCount {
  public:
    void add(Params params, const std::string& rule, const core::Verdict& verdict) {
        auto& [asked, met] = counts_[name_of(params) + ", " + rule];
        ++asked;
        met += is_met(verdict) ? 1 : 0;
    }
    /// Says how often, and fails if a rule found something in less than one of a hundred homes. Runs of less than 400 are not judged:
    /// chance would decide.
    void check() const {
        for (const auto& [rule, count] : counts_) {
            const auto& [asked, met] = count;
            MESSAGE(rule << ": " << met << " of " << asked << " answers found something");
            if (asked >= 400) CHECK_MESSAGE(met * 100 >= asked, rule);
        }
    }

  private:
    std::map<std::string, std::pair<int, int>> counts_;
};

}  // namespace varde::property
