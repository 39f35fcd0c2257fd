#pragma once
#include "app/modules.hpp"
#include "jobs/api_sync_job.hpp"
#include "jobs/broker_job.hpp"
#include "jobs/http_job.hpp"
#include "jobs/noop_job.hpp"
#include "jobs/plugin_job.hpp"
#include "jobs/retention_job.hpp"
#include "jobs/rule_evaluation_job.hpp"
#include "jobs/rule_schedules.hpp"
#include "ports/run_control.hpp"
#include "schedule/calendar_desk.hpp"
#include "schedule/host_time.hpp"
#include "schedule/job_kinds.hpp"
#include "schedule/schedule_desk.hpp"

#include <functional>

namespace varde::app {

/// Schedules as the subcommands put them together: every job kind, and the desks over the database. The same for the host that runs them
/// and for the command line, which only checks with the kinds.
class Scheduling {
  public:
    /// What the kinds work with. All outlive this.
    struct Parts {
        Storage& storage;
        const config::HostConfig& settings;  ///< while it is made
        const time::Clock& clock;            ///< of this machine
        ports::LogSink& log;
        ports::RunControl& rules;
        ports::JobLibraries& libraries;
        std::function<core::Microseconds()> rules_need;  ///< jobs::RetentionJob::Parts
    };
    explicit Scheduling(Parts parts);
    Scheduling(const Scheduling&) = delete;
    Scheduling& operator=(const Scheduling&) = delete;

    [[nodiscard]] schedule::ScheduleDesk& desk() { return desk_; }
    [[nodiscard]] schedule::CalendarDesk& calendars() { return calendars_; }
    [[nodiscard]] const schedule::JobKinds& kinds() const { return kinds_; }
    [[nodiscard]] jobs::RuleSchedules& rule_schedules() { return rule_schedules_; }
    [[nodiscard]] schedule::HostTime& time() { return time_; }
    /// Called after each change made at the desk. Set it before others use the desk.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  private:
    std::function<void()> changed_;
    schedule::HostTime time_;
    schedule::JobKinds kinds_;
    schedule::ScheduleDesk desk_;
    schedule::CalendarDesk calendars_;
    jobs::NoopJob noop_;
    jobs::HttpJob http_;
    jobs::RetentionJob retention_;
    jobs::RuleEvaluationJob rule_evaluation_;
    jobs::RuleSchedules rule_schedules_;
    jobs::ApiSyncJob api_sync_;
    jobs::PluginJob plugin_;
    jobs::BrokerJob publish_{"publish"};
    jobs::BrokerJob remote_{"remote"};
};

/// A RunControl where no rule can run: the command line's.
class NoRules final : public ports::RunControl {
  public:
    void evaluate(const core::Scope&, core::Window, Evaluated done) override { done(refusal()); }
    void run(ports::RunWish, Ran done) override { done(refusal()); }
    void explain(const std::string&, const core::Scope&, std::optional<core::Instant>, Explained done) override {
        done(refusal());
    }
    [[nodiscard]] std::optional<ports::RunSummary> last_run() const override { return std::nullopt; }
    [[nodiscard]] std::vector<ports::RuleState> rule_states() const override { return {}; }
    [[nodiscard]] bool scheduler_enabled() const override { return false; }

  private:
    [[nodiscard]] static tl::unexpected<core::Error> refusal() { return core::fail(core::Errc::stopping, "no host runs here"); }
};

/// Job libraries where none can run: the command line's.
class NoLibraries final : public ports::JobLibraries {
  public:
    [[nodiscard]] ports::JobAnswer run(const ports::LibraryRun&) override { return {false, "no host runs here", {}, true}; }
};

}  // namespace varde::app
