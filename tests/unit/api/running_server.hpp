#pragma once
#include "api/server.hpp"
#include "fakes/baseline_repository.hpp"
#include "fakes/calendar_control.hpp"
#include "fakes/decision_repository.hpp"
#include "fakes/deviation_repository.hpp"
#include "fakes/event_intake.hpp"
#include "fakes/event_log.hpp"
#include "fakes/incident_repository.hpp"
#include "fakes/log_sink.hpp"
#include "fakes/monitor_mode_repository.hpp"
#include "fakes/room_repository.hpp"
#include "fakes/rule_repository.hpp"
#include "fakes/run_control.hpp"
#include "fakes/run_repository.hpp"
#include "fakes/schedule_control.hpp"
#include "fakes/schedule_repository.hpp"
#include "fakes/token_repository.hpp"
#include "time/utc_text.hpp"
#include "unit/api/http_client.hpp"

#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace varde::testing {

inline core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

/// A server on an ephemeral port of this machine, with fakes behind it and its loop on a thread of its own.
class RunningServer {
  public:
    time::ManualClock clock{at("2026-01-15T12:00:00Z")};
    fakes::EventIntake intake;
    fakes::EventLog events;
    fakes::DeviationRepository deviations;
    fakes::RuleRepository rule_rows;
    fakes::TokenRepository tokens;
    fakes::IncidentRepository incidents;
    fakes::BaselineRepository baselines;
    fakes::MonitorModeRepository modes;
    fakes::DecisionRepository decisions;
    fakes::RoomRepository rooms;
    fakes::RunControl runs;
    fakes::ScheduleRepository schedules;
    fakes::RunRepository slot_runs{schedules};
    fakes::ScheduleControl desk{schedules, slot_runs, clock};
    fakes::CalendarControl calendars{clock};
    api::Scheduling scheduling{desk, schedules, slot_runs, {}, &calendars};
    bool has_schedules = true;
    fakes::LogSink log;
    std::shared_ptr<config::RulesConfig> rules = std::make_shared<config::RulesConfig>();
    std::function<api::IngestHealth()> ingest_health;
    std::function<void()> rooms_changed;
    api::HttpSettings settings;

    RunningServer() { settings.http.port = 0; }
    ~RunningServer() {
        if (!thread_.joinable()) return;
        on_loop([this] { server_.reset(); });
        work_.reset();
        thread_.join();
    }
    RunningServer(const RunningServer&) = delete;
    RunningServer& operator=(const RunningServer&) = delete;

    /// The port.
    std::uint16_t start() {
        server_.emplace(loop_, settings, services());
        const auto started = server_->start();
        REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().context));
        thread_ = std::thread{[this] { loop_.run(); }};
        port_ = server_->port();
        return port_;
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The fakes, as a server wants them; for tests that make their own.
    [[nodiscard]] api::Services services() {
        return {intake,        events,
                deviations,    rule_rows,
                tokens,        incidents,
                baselines,     modes,
                decisions,     rooms,
                runs,          clock,
                log,           [this] { return rules; },
                ingest_health, {},
                rooms_changed, has_schedules ? &scheduling : nullptr};
    }

    void on_loop(std::function<void()> what) {
        std::promise<void> done;
        boost::asio::post(loop_, [&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }
    /// Begins to stop; the future is ready when the last connection is gone.
    std::future<void> stop(std::chrono::milliseconds bound) {
        auto promise = std::make_shared<std::promise<void>>();
        on_loop([&] { server_->stop(bound, [promise] { promise->set_value(); }); });
        return promise->get_future();
    }
    std::size_t connections() {
        std::size_t count = 0;
        on_loop([&] { count = server_->connections(); });
        return count;
    }
    /// A token of the role, limited to the scope; returns its secret.
    std::string add_token(ports::Role role, const core::ScopeFilter& scope = {}) {
        ports::Token token;
        token.name = std::string{ports::name_of(role)};
        token.role = role;
        token.scope = scope;
        const auto secret = "secret-" + token.name + scope.org_id + scope.home_id + scope.subject_id;
        token.sha256 = api::token_hash(secret);
        token.created_at = clock.now();
        (void)tokens.insert(token);
        return secret;
    }

  private:
    boost::asio::io_context loop_{1};
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{loop_.get_executor()};
    std::optional<api::Server> server_;
    std::thread thread_;
    std::uint16_t port_ = 0;
};

}  // namespace varde::testing
