#pragma once
#include "config/settings.hpp"
#include "ports/log_sink.hpp"
#include "ports/run_control.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace varde::jobs {

/// The id of the schedule that runs the rules at the interval of rules.yaml.
inline constexpr std::string_view kRulesSchedule = "rules";

/// What rules.yaml asks for, as schedules of kind rule_evaluation: "rules" at the interval, and "rules:R-003" for each rule with a
/// `schedule` of its own that is enabled in some home. A rule with a time of its own (cron, every, manual) is not part of "rules"; one
/// with an event still is, so that what it found gets old there too. They belong to no organisation and have the source "config".
[[nodiscard]] std::vector<core::Schedule> rule_schedules(const config::RulesConfig& config, std::chrono::milliseconds interval);

/// Keeps those schedules in the database in line with rules.yaml. Thread-safe as its ports are, but for arrange(): one thread.
class RuleSchedules {
  public:
    /// All outlive this.
    struct Ports {
        ports::ScheduleControl& control;
        ports::ScheduleRepository& schedules;
        ports::RunRepository& runs;
        const time::Clock& clock;  ///< of the database (schedule/host_time.hpp)
        ports::LogSink& log;
    };
    explicit RuleSchedules(Ports ports) : ports_{ports} {}

    /// Makes, changes and removes what differs, and at its first success asks for a run at once: a host that was away must not wait for
    /// the next slot. What somebody paused or disabled stays so. False: the database does not answer; ask again. What cannot be stored for
    /// another reason is logged (`rules_not_scheduled`).
    bool arrange(const config::RulesConfig& config, std::chrono::milliseconds interval);
    /// Removes them all: no rule runs by itself here.
    bool clear() { return bring_in_line({}); }
    /// The newest run of "rules" that has started on any host. nullopt: the schedule is paused or disabled. Errors: the database's;
    /// Errc::not_found: there was none yet.
    [[nodiscard]] core::Result<std::optional<ports::KnownRun>> newest();

  private:
    bool bring_in_line(const std::vector<core::Schedule>& wanted);
    /// Whether the database answered.
    template <class T>
    bool answered(const std::string& schedule_id, const core::Result<T>& done);

    Ports ports_;
    bool ran_at_start_ = false;
};

}  // namespace varde::jobs
