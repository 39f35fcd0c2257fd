#pragma once
#include "config/settings.hpp"
#include "ports/plugin_catalogue.hpp"
#include "ports/run_control.hpp"
#include "rules/rule_run.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace varde::rules {

/// Who starts the runs of the interval, where that is not the scheduler's own timer: a schedule in the database. Called on the run thread.
struct RunTimer {
    /// Brings the schedules in line with a configuration. False: not now (the database is away); it is asked again.
    std::function<bool(const config::RulesConfig& config, std::chrono::milliseconds interval)> arrange;
    /// The newest run of the interval that any host has begun; nullopt: none is wanted, for somebody paused the schedule. An error: it is
    /// not known.
    std::function<core::Result<std::optional<ports::KnownRun>>()> newest;
    /// How late a run may be, at least, before the scheduler makes it; the interval if that is longer.
    std::chrono::milliseconds least_patience{5'000};
};

struct SchedulerOptions {
    std::filesystem::path rules_file;
    /// False: rules.yaml and plugins are kept up to date and evaluate() works, but nothing runs by itself.
    bool enabled = true;
    std::optional<std::chrono::milliseconds> interval;  ///< instead of rules.yaml's interval_minutes
    std::optional<RunTimer> timer{};                    ///< nullopt: the scheduler's own
    std::chrono::milliseconds first_run_after{0};       ///< from start()
    std::chrono::milliseconds stop_timeout{8'000};      ///< what stop() gives a run before it is abandoned
    std::chrono::milliseconds watch_every{200};         ///< how often rules.yaml and the plugins are looked at
};

/// Runs the rules of rules.yaml at its interval, one run at a time on one thread, and picks up edits of rules.yaml and new, changed and
/// removed plugin files while it goes. Intervals that pass during a run are not made up: `scheduler_run_late` says so.
/// With a RunTimer runs come by run(); if none has come from anywhere for two intervals (at least RunTimer::least_patience more than
/// one), it makes one itself, as a missed alarm matters more than who starts the run (`scheduler_run_late`).
/// A rules.yaml that cannot be used changes nothing (`config_rejected` says where it is wrong); without any usable one each run ends in
/// `scheduler_run_end` at ERROR. The ports are used on the run thread (or by step()) only and outlive the scheduler.
class Scheduler final : public ports::RunControl {
  public:
    Scheduler(SchedulerOptions options, RunPorts ports, ports::PluginCatalogue& plugins);
    /// stop(), if that was not done.
    ~Scheduler() override;
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    /// Starts the run thread. Once.
    void start();
    /// Ends the run thread: a run in progress is given stop_timeout to finish, then it is abandoned before its commit. Callers of
    /// evaluate() that were not served get Errc::stopping. Idempotent; not from the run thread.
    void stop();

    /// Looks at rules.yaml and the plugins, makes exactly one run at the clock's now (also if not enabled), and answers waiting
    /// evaluate() calls, all on the calling thread. Only without start().
    ports::RunSummary step();

    void explain(const std::string& rule_id, const core::Scope& scope, std::optional<core::Instant> at, Explained done) override;
    void evaluate(const core::Scope& scope, core::Window window, Evaluated done) override;
    void run(ports::RunWish wish, Ran done) override;
    [[nodiscard]] std::optional<ports::RunSummary> last_run() const override;
    [[nodiscard]] std::vector<ports::RuleState> rule_states() const override;
    [[nodiscard]] bool scheduler_enabled() const override;
    /// The configuration in force; without any usable one an empty one. Thread-safe.
    [[nodiscard]] std::shared_ptr<const config::RulesConfig> rules() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::rules
