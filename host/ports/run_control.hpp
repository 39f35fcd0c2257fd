#pragma once
#include "core/error.hpp"
#include "core/incident.hpp"
#include "core/monitor_mode.hpp"
#include "core/scope.hpp"
#include "core/verdict.hpp"
#include "ports/evaluator.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

struct RunCounts {
    std::int64_t rules_total = 0;  ///< enabled rules x scopes
    std::int64_t rules_ok = 0;
    std::int64_t rules_failed = 0;
    std::int64_t deviations_upserted = 0;
    std::int64_t deviations_closed = 0;
    std::int64_t rules_gated = 0;  ///< of rules_ok: not asked, because too little is known of the home
};

struct RunSummary {
    std::string run_id;
    core::Instant started_at{};
    core::Instant finished_at{};
    RunCounts counts;
    std::int64_t scopes = 0;
    std::int64_t evaluations = 0;
    std::string error;  ///< empty: the run was committed
};

/// A run that was made here or on another host.
struct KnownRun {
    RunSummary summary;
    core::Microseconds age{};  ///< since its start
    bool is_over = true;       ///< false: the summary has its start only
};

/// The state of a rule's plugin, for /rules, `varde rules list` and /health/detail.
struct RuleState {
    std::string rule_id;
    bool enabled = false;  ///< in the scheduler: rules.yaml and the database both
    bool loaded = false;
    std::string version;
    std::string sha256;
    std::string problem;  ///< why it cannot run: "create_failed: ..."
    /// Whether it is kept out of service after failures, until when, why, and the incident to read. healthy: nothing of the kind.
    core::BreakerRecord breaker{};
};

struct RuleVerdict {
    std::string rule_id;
    core::Verdict verdict;
    /// Not empty: the rule was not asked, and this is why ("baseline_not_ready"); the verdict is then Completed and unknown.
    std::string gating_reason{};
};

/// How a rule stands in a home today, and what it says when it is asked again.
struct ExplainedRule {
    Evaluation asked;  ///< with what the rule keeps today
    core::Verdict answer;
    std::string params = "{}";  ///< JSON object: those of this home
    bool enabled = true;        ///< in rules.yaml, for this home
    core::MonitorMode mode = core::MonitorMode::on;
};

/// What a run is asked to be.
struct RunWish {
    std::vector<std::string> rules;  ///< ids; empty: every enabled one
    /// With `rules` empty: leave out those that rules.yaml gives a time of their own.
    bool without_scheduled = false;
    /// Another host may have made runs since this one's last: what is kept between runs is read from the database again.
    bool after_others = false;
    friend bool operator==(const RunWish&, const RunWish&) = default;
};

/// What other modules may ask of the scheduler. Thread-safe; never waits. Callbacks come on the run thread and must be short.
class RunControl {
  public:
    virtual ~RunControl() = default;
    using Evaluated = std::function<void(core::Result<std::vector<RuleVerdict>>)>;
    /// Judges every configured rule (enabled or not) for one scope and window, between two runs; stores nothing. Rules that may not be
    /// asked about the scope are gated as in runs; monitor modes do not count.
    virtual void evaluate(const core::Scope& scope, core::Window window, Evaluated done) = 0;
    using Ran = std::function<void(core::Result<RunSummary>)>;
    /// Makes a run, between two others, as if its time had come; the rows of rules that are not part of it are left alone.
    /// Errc::not_found: rules.yaml has no such rule.
    virtual void run(RunWish wish, Ran done) = 0;
    using Explained = std::function<void(core::Result<ExplainedRule>)>;
    /// Asks one rule of the configuration about a scope as a run at `at` (nullopt: now) would have, over the events that are stored now,
    /// with its steps, also where it is off or gated; stores nothing. Errc::not_found: rules.yaml has no such rule.
    virtual void explain(const std::string& rule_id, const core::Scope& scope, std::optional<core::Instant> at,
                         Explained done) = 0;
    [[nodiscard]] virtual std::optional<RunSummary> last_run() const = 0;
    [[nodiscard]] virtual std::vector<RuleState> rule_states() const = 0;
    [[nodiscard]] virtual bool scheduler_enabled() const = 0;
};

}  // namespace varde::ports
