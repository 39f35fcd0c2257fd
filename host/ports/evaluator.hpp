#pragma once
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/incident.hpp"
#include "core/verdict.hpp"
#include "ports/plugin_catalogue.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ports {

/// One rule as it is to be run: a plugin with parameters and limits.
struct RuleSpec {
    Plugin plugin;
    std::string params = "{}";  ///< JSON object
    std::chrono::milliseconds timeout{2000};
    std::uint64_t memory_bytes = 128ull << 20;
    /// The longest window the scheduler will ask for; with the declared reads it decides how much history is kept live.
    std::chrono::microseconds lookback{0};
    std::string group{};  ///< rules of one name share a worker; empty: a worker of its own
    /// Further params, of homes with some of their own: Evaluation::variant 1, 2, ..
    std::vector<std::string> variants{};
};

/// What is to be judged. The window is [since, until).
struct Evaluation {
    std::string rule_id;
    core::Scope scope;
    core::Window window;
    core::Instant now;
    std::shared_ptr<const std::string> state{};  ///< what the rule kept for the scope; null: nothing
    bool explain = false;                        ///< the steps of the answer are wanted
    std::uint32_t variant = 0;                   ///< 0: with RuleSpec::params; else with RuleSpec::variants[variant - 1]
};

/// What a rule of the last configure() runs on. It may change between two calls: a new plugin is tried out first, and an old one comes
/// back if the new one fails.
struct RuleInUse {
    std::string rule_id;
    std::string path;  ///< of the plugin that answers; with version and sha256 empty if none does
    std::string version;
    std::string sha256;
    std::optional<core::Failed> failure;            ///< why the rule cannot be asked
    std::string candidate_sha256;                   ///< of a newer plugin that is being tried out, or was turned down
    std::optional<core::Failed> candidate_failure;  ///< why it was turned down
};

/// Evaluates rules in sandboxed workers. Blocking; one thread at a time (not thread-safe). A broken rule never throws or stops the
/// caller: its evaluations are Failed.
class Evaluator {
  public:
    virtual ~Evaluator() = default;

    /// Makes `rules` the rules that evaluate() knows; keeps workers whose plugin and limits did not change. Element i: why rule i
    /// cannot be used (its evaluations will give the same Failed), or nullopt. A variant that a rule cannot be made with fails alone,
    /// as not_loaded. After the first call a plugin that is new is tried out
    /// beside the one in use, which goes on meanwhile: in_use() says how far that is.
    virtual std::vector<std::optional<core::Failed>> configure(std::vector<RuleSpec> rules) = 0;

    /// Whether a rule of the last configure() could be made with these parameters; it goes on with its own. nullopt: yes, or not known.
    [[nodiscard]] virtual std::optional<core::Failed> try_params(const std::string& rule_id, const std::string& params) {
        static_cast<void>(rule_id);
        static_cast<void>(params);
        return std::nullopt;
    }

    /// Takes the next step with plugins that are being tried out; between two runs. True: in_use() changed since it was last called, be
    /// it by a run meanwhile.
    virtual bool settle() { return false; }
    /// In the order of the last configure(). Empty: not known, what was configured is in use.
    [[nodiscard]] virtual std::vector<RuleInUse> in_use() const { return {}; }

    /// Reads events that arrived since the last call into the live columns. Errors are the event log's.
    virtual core::Result<void> catch_up(core::Instant now) = 0;

    /// Every scope with an event so far. Valid after catch_up().
    [[nodiscard]] virtual std::vector<core::Scope> scopes() const = 0;

    /// Verdict i is about evaluation i. Events that the live columns do not hold are read from the event log, whose failure is the
    /// only error here.
    virtual core::Result<std::vector<core::Verdict>> evaluate(std::span<const Evaluation> evaluations) = 0;

    /// Judges given events instead of stored ones: `varde eval`, `varde test`. Events are in insertion order; only those of the
    /// evaluation's scope are seen. `params` replaces the rule's own.
    virtual core::Verdict evaluate_events(const Evaluation& evaluation, const std::string& params,
                                          std::span<const core::Event> events) = 0;

    /// The circuit breakers of rules that are not healthy, in the order of rule ids. Blocking: may ask the database what others did.
    /// An evaluator that asks every rule every time has none.
    [[nodiscard]] virtual std::vector<core::BreakerRecord> breakers() { return {}; }

    /// Forgets the failures of a rule, so that it is asked again: somebody switched it off or on. Without failures nothing happens.
    virtual void release(const std::string& rule_id) { static_cast<void>(rule_id); }
};

}  // namespace varde::ports
