#pragma once
#include "api/authentication.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "ports/baseline_repository.hpp"
#include "ports/calendar_control.hpp"
#include "ports/decision_repository.hpp"
#include "ports/deviation_repository.hpp"
#include "ports/event_intake.hpp"
#include "ports/event_log.hpp"
#include "ports/incident_repository.hpp"
#include "ports/isolation_posture.hpp"
#include "ports/log_sink.hpp"
#include "ports/monitor_mode_repository.hpp"
#include "ports/room_repository.hpp"
#include "ports/rule_repository.hpp"
#include "ports/run_control.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"
#include "ports/token_repository.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace varde::api {

struct HttpSettings {
    config::HostConfig::Http http;
    /// auth.required: a token is needed on loopback too. Other addresses always need one.
    bool require_tokens = false;
    int database_threads = 4;                           ///< 1..64: database.sessions
    std::string sunset = "2026-06-01";                  ///< the Sunset header of paths without /v1
    std::chrono::milliseconds answer_timeout{120'000};  ///< a request that has no answer by then loses its connection
    std::chrono::seconds token_cache{5};                ///< a revoked token works at most this much longer
};

/// What /health/detail says about the intake of events; app/ fills it from ingest::GroupCommit::state().
struct IngestHealth {
    std::size_t queued_events = 0;
    std::size_t queue_limit = 0;
    std::uint64_t stored = 0;
    std::uint64_t deduped = 0;
    std::uint64_t refused = 0;
    bool database_ok = true;
};

/// What /health/detail says about the carrying out of schedules; app/ fills it from schedule::Dispatcher::status().
struct SchedulesHealth {
    bool working = false;  ///< registered, with valid leases, and the database answers
    std::string problem;   ///< what the database last said, if it does not
    std::string host_id;
    int workers = 0;
    int busy = 0;
    int stuck = 0;  ///< threads whose job did not return at its run_timeout
    std::int64_t pending = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> left_out;  ///< slots, by reason, since start
    core::Instant last_look{};                      ///< when due slots were last looked for with success
    std::string tzdata{};                           ///< version of the time zone rules; empty: not known
};

/// What the routes of schedules and runs work with.
struct Scheduling {
    ports::ScheduleControl& control;
    ports::ScheduleRepository& schedules;
    ports::RunRepository& runs;
    std::function<SchedulesHealth()> health{};    ///< empty: this host carries none out
    ports::CalendarControl* calendars = nullptr;  ///< nullptr: there are none, and their routes answer 503
};

/// What the routes work with. All outlive the server.
struct Services {
    ports::EventIntake& intake;
    ports::EventLog& events;
    ports::DeviationRepository& deviations;
    ports::RuleRepository& rule_rows;
    ports::TokenRepository& tokens;
    ports::IncidentRepository& incidents;
    ports::BaselineRepository& baselines;
    ports::MonitorModeRepository& modes;
    ports::DecisionRepository& decisions;
    ports::RoomRepository& rooms;
    ports::RunControl& runs;
    const time::Clock& clock;
    ports::LogSink& log;
    std::function<std::shared_ptr<const config::RulesConfig>()> rules;  ///< the configuration in force; never null
    std::function<IngestHealth()> ingest_health;                        ///< may be empty
    ports::IsolationPosture isolation{};                                ///< as measured at start; without a level: not measured
    std::function<void()> rooms_changed{};  ///< called on a database thread after each change of rooms; may be empty
    const Scheduling* scheduling{};         ///< nullptr: there is none, and its routes answer 503
};

/// The HTTP interface (docs/http.md). Owned by, and working on, the thread that runs `loop`; blocking repository calls run on
/// `database_threads` threads of its own. Call start(), stop() and the destructor on the loop thread, or while nobody runs the loop.
class Server {
  public:
    Server(boost::asio::io_context& loop, HttpSettings settings, Services services);
    ~Server();  ///< closes everything at once; waits for repository calls in progress
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens. Errc::io_failed names the address; Errc::config_invalid: check_exposure() refuses it.
    [[nodiscard]] core::Result<void> start();

    /// Listens no more and closes idle connections; requests in progress are answered until `bound` has passed, then their connections
    /// are closed. `stopped` is called on the loop when the last connection is gone.
    void stop(std::chrono::milliseconds bound, std::function<void()> stopped = {});

    /// The port in use: the system's choice if the settings say 0.
    [[nodiscard]] std::uint16_t port() const;

    [[nodiscard]] std::size_t connections() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace varde::api
