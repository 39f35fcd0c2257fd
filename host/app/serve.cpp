#include "api/server.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/scheduling.hpp"
#include "evaluate/guarded_evaluator.hpp"
#include "evaluate/posture_probe.hpp"
#include "evaluate/sandboxed_jobs.hpp"
#include "ingest/room_watch.hpp"
#include "rules/baseline_job.hpp"
#include "rules/scheduler.hpp"
#include "schedule/dispatcher.hpp"
#include "time/tzdata.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include <sys/prctl.h>

namespace varde::app {
namespace {

namespace asio = boost::asio;

/// A host that is going down may still hold the lock of its SQLite file; it has ten seconds for that.
constexpr std::chrono::milliseconds kPredecessorMayTake{12'000};

/// How far back rules may look, and baselines count: younger events are not to be deleted.
core::Microseconds rules_need(const rules::Scheduler& scheduler, const config::HostConfig& settings) {
    const auto rules = scheduler.rules();
    core::Microseconds most = std::chrono::days{settings.baseline.window_days + 1};
    const auto need = [&](core::Microseconds lookback) { most = std::max(most, lookback); };
    for (const auto& [id, rule] : rules->rules) need(rule.lookback);
    for (const auto& home : rules->homes) {
        for (const auto& [id, rule] : home.rules) need(rule.lookback.value_or(std::chrono::minutes{0}));
    }
    return most;
}

/// Requests in flight get this long to finish; the scheduler has its own bound. Together they stay below 10 s.
constexpr std::chrono::milliseconds kRequestsMayTake{1'500};

void apply(config::HostConfig& settings, const ServeOptions& options) {
    if (options.port) settings.http.port = static_cast<std::uint16_t>(*options.port);
    if (!options.address.empty()) settings.http.address = options.address;
    if (options.interval_ms) settings.scheduler.interval = std::chrono::milliseconds{*options.interval_ms};
}

rules::SchedulerOptions scheduling_of(const config::HostConfig& settings) {
    rules::SchedulerOptions options;
    options.rules_file = settings.rules_file;
    options.enabled = settings.scheduler.enabled;
    options.interval = settings.scheduler.interval;
    options.stop_timeout = settings.scheduler.stop_timeout;
    return options;
}

api::HttpSettings http_of(const config::HostConfig& settings) {
    api::HttpSettings http;
    http.http = settings.http;
    http.require_tokens = settings.require_tokens;
    http.database_threads = settings.database.sessions;
    return http;
}

api::IngestHealth health_of(const ingest::GroupCommit& intake) {
    const auto state = intake.state();
    return {state.queued_events, state.queue_limit, state.stored, state.deduped, state.refused, state.database_ok};
}

api::SchedulesHealth health_of(const schedule::Dispatcher& dispatcher) {
    auto status = dispatcher.status();
    return {status.working,   status.problem,          status.host_id,   status.workers, status.busy,
            status.stuck,     status.pending,          status.succeeded, status.failed,  std::move(status.left_out),
            status.last_look, std::move(status.tzdata)};
}

}  // namespace

int serve(const Globals& globals, const ServeOptions& options) {
    // Secrets are in this process's memory: no core file, no ptrace, no /proc/PID/mem for others of the same user.
    ::prctl(PR_SET_DUMPABLE, 0);
    raise_descriptor_limit();
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    apply(*settings, options);
    auto storage = Storage::open(*settings, Storage::Schema::migrate);
    if (!storage) return report(storage.error());

    asio::io_context loop{1};  // outlives everything that may hold a connection's callback
    Log log{*settings, stdout};
    const auto posture = evaluate::measure_posture(settings->isolation, log.sink());
    evaluate::log_posture(posture, log.sink());
    const time::SystemClock clock;
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    evaluate::ReplayStore replays{settings->incidents};
    evaluate::EvaluationEngine engine{&storage->events(), settings->isolation, log.sink()};
    engine.carry_answers(settings->scheduler.carry_answers);
    engine.keep_replays_in(replays);
    evaluate::GuardedEvaluator guard{
        engine, {storage->incidents(), clock, log.sink()}, {settings->breaker, settings->incidents.keep}};
    ingest::RoomWatch rooms{storage->rooms(), log.sink()};
    if (auto known = rooms.look(); !known) return report(known.error());  // an event would get no room, for ever
    std::function<void(const std::vector<std::string>&)> events_stored;   // set before events come in
    ingest::GroupCommit intake{storage->events(),
                               clock,
                               settings->ingest,
                               log.sink(),
                               [&rooms] { return rooms.picture(); },
                               [&events_stored](const std::vector<std::string>& categories) {
                                   if (events_stored) events_stored(categories);
                               }};
    evaluate::SandboxedJobs libraries{catalogue, settings->isolation, clock, log.sink()};
    std::optional<Scheduling> jobs;  // made of the scheduler, whose runs it starts
    auto options_of_rules = scheduling_of(*settings);
    if (settings->jobs.enabled && settings->scheduler.enabled) {
        options_of_rules.timer = rules::RunTimer{
            .arrange = [&jobs](const auto& rules, auto interval) { return jobs->rule_schedules().arrange(rules, interval); },
            .newest = [&jobs] { return jobs->rule_schedules().newest(); }};
    }
    rules::Scheduler scheduler{std::move(options_of_rules),
                               {guard, storage->deviations(), storage->rules(), storage->baselines(), storage->modes(), clock,
                                log.sink(), &storage->decisions(), settings->decisions},
                               catalogue};
    rules::BaselineJob baselines{settings->baseline, {storage->events(), storage->baselines(), clock, log.sink()}};

    auto& scheduling = jobs.emplace(Scheduling::Parts{*storage, *settings, clock, log.sink(), scheduler, libraries,
                                                      [&scheduler, &settings] { return rules_need(scheduler, *settings); }});
    // Without rules here, or without jobs, their schedules would run nothing.
    if (settings->jobs.enabled && !settings->scheduler.enabled) scheduling.rule_schedules().clear();
    std::optional<store::InstanceLock> alone;
    std::optional<schedule::Dispatcher> dispatcher;
    if (settings->jobs.enabled) {
        auto lock = storage->lock_instance(kPredecessorMayTake);
        if (!lock) return report(lock.error());
        alone = std::move(*lock);
        dispatcher.emplace(settings->jobs,
                           schedule::Dispatcher::Ports{storage->schedules(), storage->runs(), scheduling.kinds(),
                                                       scheduling.time(), log.sink(), time::tzdata_version()},
                           storage->is_single_host());
        scheduling.on_change([&dispatcher] { dispatcher->hint(); });
        events_stored = [&dispatcher](const std::vector<std::string>& categories) { dispatcher->events_stored(categories); };
    }
    api::Scheduling schedules{scheduling.desk(), storage->schedules(), storage->runs()};
    schedules.calendars = &scheduling.calendars();
    if (dispatcher) schedules.health = [&dispatcher] { return health_of(*dispatcher); };

    api::Server server{loop,
                       http_of(*settings),
                       {intake, storage->events(), storage->deviations(), storage->rules(), storage->tokens(),
                        storage->incidents(), storage->baselines(), storage->modes(), storage->decisions(), storage->rooms(),
                        scheduler, clock, log.sink(), [&scheduler] { return scheduler.rules(); },
                        [&intake] { return health_of(intake); }, posture, [&rooms] { (void)rooms.look(); }, &schedules}};
    if (auto started = server.start(); !started) return report(started.error());

    asio::signal_set signals{loop, SIGINT, SIGTERM};
    signals.async_wait([&](const boost::system::error_code& failed, int) {
        if (failed) return;
        log.sink().log(ports::LogLevel::info, "host", "host_stopping", "stopping");
        server.stop(kRequestsMayTake, [&loop] { loop.stop(); });
    });
    log.sink().log(ports::LogLevel::info, "host", "host_started", "listening",
                   {{"address", settings->http.address},
                    {"port", std::int64_t{server.port()}},
                    {"plugins_dir", settings->plugins_dir.string()},
                    {"scheduler_enabled", settings->scheduler.enabled}});
    baselines.start();
    rooms.start();
    scheduler.start();
    if (dispatcher) dispatcher->start();
    loop.run();
    baselines.stop();
    if (dispatcher) dispatcher->stop();  // before the rules: a run of them may be what it waits for
    scheduler.stop();
    intake.stop(std::chrono::milliseconds{1'000});
    log.sink().log(ports::LogLevel::info, "host", "host_stopped", "stopped");
    return kOk;
}

int run(const Globals& globals) {
    raise_descriptor_limit();
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::migrate);
    if (!storage) return report(storage.error());
    Log log{*settings, globals.json ? stderr : stdout};
    const time::SystemClock clock;
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    evaluate::ReplayStore replays{settings->incidents};
    evaluate::EvaluationEngine engine{&storage->events(), settings->isolation, log.sink()};
    engine.carry_answers(settings->scheduler.carry_answers);
    engine.keep_replays_in(replays);
    evaluate::GuardedEvaluator guard{
        engine, {storage->incidents(), clock, log.sink()}, {settings->breaker, settings->incidents.keep}};
    rules::Scheduler scheduler{scheduling_of(*settings),
                               {guard, storage->deviations(), storage->rules(), storage->baselines(), storage->modes(), clock,
                                log.sink(), &storage->decisions(), settings->decisions},
                               catalogue};
    rules::BaselineJob baselines{settings->baseline, {storage->events(), storage->baselines(), clock, log.sink()}};
    baselines.step();
    const auto summary = scheduler.step();
    const auto& counts = summary.counts;
    if (globals.json) {
        print_json({{"run_id", summary.run_id},
                    {"scopes", summary.scopes},
                    {"rules_total", counts.rules_total},
                    {"rules_ok", counts.rules_ok},
                    {"rules_failed", counts.rules_failed},
                    {"rules_gated", counts.rules_gated},
                    {"deviations_upserted", counts.deviations_upserted},
                    {"deviations_closed", counts.deviations_closed},
                    {"ok", summary.error.empty()}});
    }
    return summary.error.empty() ? kOk : kFailed;
}

}  // namespace varde::app
