#include "http/ingest_server.hpp"

#include "api/server.hpp"
#include "fakes/baseline_repository.hpp"
#include "fakes/decision_repository.hpp"
#include "fakes/deviation_repository.hpp"
#include "fakes/incident_repository.hpp"
#include "fakes/log_sink.hpp"
#include "fakes/monitor_mode_repository.hpp"
#include "fakes/room_repository.hpp"
#include "fakes/rule_repository.hpp"
#include "fakes/run_control.hpp"
#include "fakes/token_repository.hpp"
#include "ingest/group_commit.hpp"
#include "store/database.hpp"
#include "store/event_log.hpp"
#include "store/migrations.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace varde::bench {
namespace {

template <class T>
T value_of(core::Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", result.error().context.c_str());
    std::exit(1);
}

std::unique_ptr<store::Database> open_database(const std::filesystem::path& file) {
    store::DatabaseSettings settings;
    settings.url = "sqlite:" + file.string();
    auto database = value_of(store::Database::open(settings));
    (void)value_of(store::migrate(*database, VARDE_MIGRATIONS_DIR));
    return database;
}

}  // namespace

struct IngestServer::Impl {
    time::SystemClock clock;
    fakes::LogSink log;
    fakes::DeviationRepository deviations;
    fakes::RuleRepository rules;
    fakes::TokenRepository tokens;
    fakes::IncidentRepository incidents;
    fakes::BaselineRepository baselines;
    fakes::MonitorModeRepository modes;
    fakes::DecisionRepository decisions;
    fakes::RoomRepository rooms;
    fakes::RunControl runs;
    boost::asio::io_context loop{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
    std::unique_ptr<store::Database> database;
    std::unique_ptr<store::SqlEventLog> events;
    ingest::GroupCommit intake;
    std::optional<api::Server> server;
    std::thread thread;
    ingest::GroupCommit::State before;

    explicit Impl(const std::filesystem::path& file)
        : database{open_database(file)},
          events{value_of(store::SqlEventLog::open(*database))},
          intake{*events, clock, config::HostConfig::Ingest{}, log} {
        api::HttpSettings settings;
        settings.http.port = 0;
        server.emplace(loop, settings,
                       api::Services{intake,
                                     *events,
                                     deviations,
                                     rules,
                                     tokens,
                                     incidents,
                                     baselines,
                                     modes,
                                     decisions,
                                     rooms,
                                     runs,
                                     clock,
                                     log,
                                     [] { return std::make_shared<const config::RulesConfig>(); },
                                     {}});
        if (const auto started = server->start(); !started) {
            std::fprintf(stderr, "%s\n", started.error().context.c_str());
            std::exit(1);
        }
        thread = std::thread{[this] { loop.run(); }};
    }
    ~Impl() {
        loop.stop();
        thread.join();
        server.reset();
    }
};

IngestServer::IngestServer(const std::filesystem::path& database_file) : impl_{std::make_unique<Impl>(database_file)} {}
IngestServer::~IngestServer() = default;
std::uint16_t IngestServer::port() const { return impl_->server->port(); }

double IngestServer::events_per_commit() {
    const auto now = impl_->intake.state();
    const auto before = std::exchange(impl_->before, now);
    return static_cast<double>(now.stored - before.stored) /
           static_cast<double>(std::max<std::uint64_t>(now.commits - before.commits, 1));
}

}  // namespace varde::bench
