#include "app/modules.hpp"

#include "store/baseline_repository.hpp"
#include "store/calendar_repository.hpp"
#include "store/database.hpp"
#include "store/decision_repository.hpp"
#include "store/deviation_repository.hpp"
#include "store/event_log.hpp"
#include "store/incident_repository.hpp"
#include "store/migrations.hpp"
#include "store/monitor_mode_repository.hpp"
#include "store/room_repository.hpp"
#include "store/rule_repository.hpp"
#include "store/run_repository.hpp"
#include "store/schedule_repository.hpp"
#include "store/token_repository.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace varde::app {

struct Storage::Parts {
    std::unique_ptr<store::Database> database;
    std::unique_ptr<store::SqlEventLog> events;
    store::SqlDeviationRepository deviations;
    store::SqlRuleRepository rules;
    store::SqlTokenRepository tokens;
    store::SqlIncidentRepository incidents;
    store::SqlBaselineRepository baselines;
    store::SqlMonitorModeRepository modes;
    store::SqlDecisionRepository decisions;
    store::SqlRoomRepository rooms;
    store::SqlScheduleRepository schedules;
    store::SqlRunRepository runs;
    store::SqlCalendarRepository calendars;

    explicit Parts(std::unique_ptr<store::Database> opened)
        : database{std::move(opened)},
          deviations{*database},
          rules{*database},
          tokens{*database},
          incidents{*database},
          baselines{*database},
          modes{*database},
          decisions{*database},
          rooms{*database},
          schedules{*database},
          runs{*database},
          calendars{*database} {}
};

Storage::Storage(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
Storage::Storage(Storage&&) noexcept = default;
Storage& Storage::operator=(Storage&&) noexcept = default;
Storage::~Storage() = default;

ports::EventLog& Storage::events() { return *parts_->events; }
ports::DeviationRepository& Storage::deviations() { return parts_->deviations; }
ports::RuleRepository& Storage::rules() { return parts_->rules; }
ports::TokenRepository& Storage::tokens() { return parts_->tokens; }
ports::IncidentRepository& Storage::incidents() { return parts_->incidents; }
ports::BaselineRepository& Storage::baselines() { return parts_->baselines; }
ports::MonitorModeRepository& Storage::modes() { return parts_->modes; }
ports::DecisionRepository& Storage::decisions() { return parts_->decisions; }
ports::RoomRepository& Storage::rooms() { return parts_->rooms; }
ports::ScheduleRepository& Storage::schedules() { return parts_->schedules; }
ports::RunRepository& Storage::runs() { return parts_->runs; }
ports::CalendarRepository& Storage::calendars() { return parts_->calendars; }
core::Result<store::InstanceLock> Storage::lock_instance(std::chrono::milliseconds patience) {
    return store::InstanceLock::take(*parts_->database, patience);
}

bool Storage::is_single_host() const { return parts_->database->engine() == store::Engine::sqlite; }

core::Result<Storage> Storage::open(const config::HostConfig& settings, Schema schema, Commits commits) {
    store::DatabaseSettings wanted;
    wanted.url = settings.database.url;
    wanted.sessions = settings.database.sessions;
    wanted.busy_timeout = settings.database.busy_timeout;
    if (commits == Commits::in_order) wanted.synchronous = store::DatabaseSettings::Synchronous::normal;
    if (commits == Commits::fleeting) wanted.synchronous = store::DatabaseSettings::Synchronous::off;
    auto database = store::Database::open(wanted);
    if (!database) return tl::unexpected{database.error()};
    if (schema == Schema::migrate) {
        if (auto done = store::migrate(**database, settings.migrations_dir); !done) return tl::unexpected{done.error()};
    } else {
        const auto status = store::schema_status(**database, settings.migrations_dir);
        if (!status) return tl::unexpected{status.error()};
        if (!status->pending.empty()) {
            return core::fail(core::Errc::migration_failed, fmt::format("{} has {} migration(s) to run; run: varde migrate",
                                                                        (*database)->description(), status->pending.size()));
        }
    }
    auto parts = std::make_unique<Parts>(std::move(*database));
    auto events = store::SqlEventLog::open(*parts->database);
    if (!events) return tl::unexpected{events.error()};
    parts->events = std::move(*events);
    return Storage{std::move(parts)};
}

Log::Log(const config::HostConfig& settings, std::FILE* out)
    : lines_{clock_, observe::log_level_from(settings.log_level).value_or(ports::LogLevel::info), out} {}

ScratchFolder::ScratchFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "varde-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::filesystem::filesystem_error{"cannot make a scratch folder", pattern,
                                                std::error_code{errno, std::generic_category()}};
    path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace varde::app
