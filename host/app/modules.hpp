#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "evaluate/evaluation_engine.hpp"
#include "ingest/group_commit.hpp"
#include "observe/json_lines.hpp"
#include "plugins/directory_catalogue.hpp"
#include "ports/baseline_repository.hpp"
#include "ports/calendar_repository.hpp"
#include "ports/decision_repository.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/event_log.hpp"
#include "ports/incident_repository.hpp"
#include "ports/monitor_mode_repository.hpp"
#include "ports/room_repository.hpp"
#include "ports/rule_repository.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_repository.hpp"
#include "ports/token_repository.hpp"
#include "store/instance_lock.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

/// The modules as the subcommands put them together.
namespace varde::app {

/// The database with its repositories.
class Storage {
  public:
    enum class Schema {
        must_be_current,  ///< an error names `varde migrate` if it is not
        migrate,          ///< brought up to date
    };
    /// What of it survives a power cut, on SQLite.
    enum class Commits {
        durable,   ///< each one that was answered
        in_order,  ///< all but the last ones, for work that is then done again from the start (a simulation that is kept)
        fleeting,  ///< nothing: an own scratch database (a simulation that is not)
    };
    [[nodiscard]] static core::Result<Storage> open(const config::HostConfig& settings, Schema schema,
                                                    Commits commits = Commits::durable);
    Storage(Storage&&) noexcept;
    Storage& operator=(Storage&&) noexcept;
    ~Storage();

    [[nodiscard]] ports::EventLog& events();
    [[nodiscard]] ports::DeviationRepository& deviations();
    [[nodiscard]] ports::RuleRepository& rules();
    [[nodiscard]] ports::TokenRepository& tokens();
    [[nodiscard]] ports::IncidentRepository& incidents();
    [[nodiscard]] ports::BaselineRepository& baselines();
    [[nodiscard]] ports::MonitorModeRepository& modes();
    [[nodiscard]] ports::DecisionRepository& decisions();
    [[nodiscard]] ports::RoomRepository& rooms();
    [[nodiscard]] ports::ScheduleRepository& schedules();
    [[nodiscard]] ports::RunRepository& runs();
    [[nodiscard]] ports::CalendarRepository& calendars();
    /// No two hosts can share this database: it is a SQLite file.
    [[nodiscard]] bool is_single_host() const;
    /// The right to schedule, for a host that serves; store/instance_lock.hpp.
    [[nodiscard]] core::Result<store::InstanceLock> lock_instance(std::chrono::milliseconds patience);

  private:
    struct Parts;
    explicit Storage(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

/// Log events as JSON lines on `out`, above host.yaml's log_level.
class Log {
  public:
    Log(const config::HostConfig& settings, std::FILE* out);
    [[nodiscard]] ports::LogSink& sink() { return lines_; }

  private:
    time::SystemClock clock_;
    observe::JsonLines lines_;
};

/// A folder that is removed with everything in it at the end of its life.
class ScratchFolder {
  public:
    ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace varde::app
