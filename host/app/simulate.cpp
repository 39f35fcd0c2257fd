#include "app/composition.hpp"
#include "app/counting_evaluator.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/progress.hpp"
#include "gating/rule_truth.hpp"
#include "ingest/file_import.hpp"
#include "ingest/room_watch.hpp"
#include "rules/baseline_job.hpp"
#include "rules/scheduler.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace varde::app {
namespace {

using ingest::ImportedEvent;

core::Instant visible_at(const ImportedEvent& event) { return event.arrives.value_or(event.event.time); }

/// The recording in the order in which it becomes visible.
core::Result<std::vector<ImportedEvent>> read_recording(const std::string& file, const config::HostConfig& settings,
                                                        ingest::RoomSource rooms) {
    std::vector<ImportedEvent> events;
    ingest::ImportOptions options;
    options.rooms = std::move(rooms);
    options.context.check_future = false;
    options.context.received_at = core::Instant{};
    const auto report =
        ingest::read_event_file(file, settings.ingest, options, [&](std::span<ImportedEvent> batch) -> core::Result<void> {
            std::ranges::move(batch, std::back_inserter(events));
            return {};
        });
    if (!report) return tl::unexpected{report.error()};
    for (const auto& item : report->first_refused) fmt::print(stderr, "{}:{}: refused: {}\n", file, item.line, item.problem);
    if (events.empty()) return core::fail(core::Errc::invalid_argument, file + " holds no event");
    std::ranges::stable_sort(events, {}, visible_at);
    return events;
}

struct Ticks {
    core::Window range;  ///< the last tick is at or before `until`
    core::Microseconds every{};
    [[nodiscard]] std::int64_t count() const { return (range.until - range.since) / every + 1; }
};

core::Result<Ticks> ticks_of(const SimulateOptions& options, const std::vector<ImportedEvent>& events) {
    const auto edge = [](const char* name, const std::string& text, core::Instant fallback) -> core::Result<core::Instant> {
        if (text.empty()) return fallback;
        auto parsed = time::parse_utc(text);
        if (!parsed) return core::fail(core::Errc::invalid_argument, fmt::format("{} {}", name, parsed.error().context));
        return parsed;
    };
    const auto from = edge("--from", options.from, visible_at(events.front()));
    if (!from) return tl::unexpected{from.error()};
    const auto to = edge("--to", options.to, visible_at(events.back()));
    if (!to) return tl::unexpected{to.error()};
    const auto every = parse_duration(options.every);
    if (!every) return core::fail(core::Errc::invalid_argument, "--every: " + every.error().context);
    if (*from > *to) return core::fail(core::Errc::invalid_argument, "--from lies after --to");
    return Ticks{{*from, *to}, *every};
}

/// Counting history again and again would be for nothing if no rule asks for it. The first tick knows no rules yet, and no history.
bool needs_baseline(const config::RulesConfig& config) {
    return std::ranges::any_of(config.rules, [](const auto& rule) { return gating::requires_baseline(rule.second); });
}

/// What a simulation adds up.
struct Totals {
    std::int64_t ticks = 0;
    std::int64_t events = 0;
    std::int64_t failed_runs = 0;
    ports::RunCounts counts;
    std::chrono::duration<double> took{};
};

void add(Totals& totals, const ports::RunSummary& run) {
    ++totals.ticks;
    totals.failed_runs += run.error.empty() ? 0 : 1;
    totals.counts.rules_total += run.counts.rules_total;
    totals.counts.rules_ok += run.counts.rules_ok;
    totals.counts.rules_failed += run.counts.rules_failed;
    totals.counts.rules_gated += run.counts.rules_gated;
    totals.counts.deviations_upserted += run.counts.deviations_upserted;
    totals.counts.deviations_closed += run.counts.deviations_closed;
}

/// Stores what has become visible by `now`; returns the position of the first event that has not.
core::Result<std::size_t> deliver(std::vector<ImportedEvent>& events, std::size_t next, core::Instant now,
                                  ports::EventIntake& intake) {
    constexpr std::size_t kBatch = 2'000;
    while (next < events.size() && visible_at(events[next]) <= now) {
        std::vector<core::Event> batch;
        for (; next < events.size() && batch.size() < kBatch && visible_at(events[next]) <= now; ++next) {
            events[next].event.received_at = now;
            batch.push_back(std::move(events[next].event));
        }
        if (auto stored = intake.store(std::move(batch)); !stored) return tl::unexpected{stored.error()};
    }
    return next;
}

void print_totals(const Totals& totals, const std::map<std::string, OutcomeCounts>& outcomes,
                  const std::map<std::string, std::int64_t>& episodes, double per_second) {
    nlohmann::ordered_json out{{"ticks", totals.ticks},
                               {"events", totals.events},
                               {"seconds", totals.took.count()},
                               {"evaluations_per_second", per_second},
                               {"failed_runs", totals.failed_runs}};
    out["counts"] = {{"rules_total", totals.counts.rules_total},
                     {"rules_ok", totals.counts.rules_ok},
                     {"rules_failed", totals.counts.rules_failed},
                     {"rules_gated", totals.counts.rules_gated},
                     {"deviations_upserted", totals.counts.deviations_upserted},
                     {"deviations_closed", totals.counts.deviations_closed}};
    out["rules"] = nlohmann::ordered_json::object();
    for (const auto& [rule, count] : outcomes) {
        const auto found = episodes.find(rule);
        out["rules"][rule] = {{"evaluations", count.total()}, {"met", count.met},
                              {"not_met", count.not_met},     {"no_data", count.no_data},
                              {"unknown", count.unknown},     {"failed", count.failed},
                              {"carried", count.carried},     {"episodes", found == episodes.end() ? 0 : found->second}};
    }
    print_json(out);
}

void print_table(const Totals& totals, const std::map<std::string, OutcomeCounts>& outcomes,
                 const std::map<std::string, std::int64_t>& episodes, double per_second) {
    constexpr auto line = "{:<10} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10}\n";
    fmt::print(line, "rule", "evaluations", "carried", "met", "no data", "failed", "episodes");
    for (const auto& [rule, count] : outcomes) {
        const auto found = episodes.find(rule);
        fmt::print(line, rule, count.total(), count.carried, count.met, count.no_data, count.failed,
                   found == episodes.end() ? 0 : found->second);
    }
    fmt::print(
        "{} ticks, {} events, rules_total {}, rules_ok {}, rules_failed {}, deviations_upserted {}, deviations_closed {}\n",
        totals.ticks, totals.events, totals.counts.rules_total, totals.counts.rules_ok, totals.counts.rules_failed,
        totals.counts.deviations_upserted, totals.counts.deviations_closed);
    if (totals.counts.rules_gated > 0) {
        fmt::print("{} times a rule was not asked, because too little was known of the home (rules_gated)\n",
                   totals.counts.rules_gated);
    }
    fmt::print("{:.2f} s, {:.0f} evaluations per second\n", totals.took.count(), per_second);
}

}  // namespace

int simulate(const Globals& globals, const SimulateOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    const ScratchFolder scratch;
    const bool keep = !globals.database_url.empty();
    if (!keep) settings->database.url = "sqlite:" + (scratch.path() / "simulation.db").string();
    auto storage =
        Storage::open(*settings, Storage::Schema::migrate, keep ? Storage::Commits::in_order : Storage::Commits::fleeting);
    if (!storage) return report(storage.error());
    settings->log_level = "error";  // the run's story is the table; a rule that fails is still told
    Log log{*settings, stderr};
    ingest::RoomWatch rooms{storage->rooms(), log.sink()};  // of a --database that is kept; a scratch one knows none
    if (auto known = rooms.look(); !known) return report(known.error());
    auto events = read_recording(options.events_file, *settings, [&rooms] { return rooms.picture(); });
    if (!events) return report(events.error());
    const auto ticks = ticks_of(options, *events);
    if (!ticks) return report(ticks.error());

    time::ManualClock clock{ticks->range.since};
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    evaluate::EvaluationEngine engine{&storage->events(), settings->isolation, log.sink()};
    engine.carry_answers(settings->scheduler.carry_answers && !options.ask_always);
    CountingEvaluator counting{engine};
    ingest::GroupCommit intake{storage->events(), clock, settings->ingest, log.sink()};
    rules::SchedulerOptions scheduling;
    scheduling.rules_file = settings->rules_file;
    scheduling.interval = std::chrono::duration_cast<std::chrono::milliseconds>(ticks->every);
    rules::Scheduler scheduler{scheduling,
                               {counting, storage->deviations(), storage->rules(), storage->baselines(), storage->modes(), clock,
                                log.sink(), keep ? &storage->decisions() : nullptr, settings->decisions},
                               catalogue};

    rules::BaselineJob baselines{settings->baseline, {storage->events(), storage->baselines(), clock, log.sink()}};

    const auto before = storage->deviations().count_by_rule();
    if (!before) return report(before.error());
    Totals totals;
    Progress progress{"ticks", ticks->count()};
    const auto start = std::chrono::steady_clock::now();
    std::size_t next = 0;
    for (auto now = ticks->range.since; now <= ticks->range.until; now += ticks->every) {
        clock.set(now);
        const auto delivered = deliver(*events, next, now, intake);
        if (!delivered) return report(delivered.error());
        next = *delivered;
        if (needs_baseline(*scheduler.rules())) baselines.step();
        add(totals, scheduler.step());
        progress.show(totals.ticks);
    }
    progress.done();
    totals.took = std::chrono::steady_clock::now() - start;
    totals.events = static_cast<std::int64_t>(next);
    auto episodes = storage->deviations().count_by_rule();
    if (!episodes) return report(episodes.error());
    for (const auto& [rule, count] : *before) (*episodes)[rule] -= count;
    const auto per_second = totals.took.count() > 0 ? static_cast<double>(totals.counts.rules_total) / totals.took.count() : 0.0;
    globals.json ? print_totals(totals, counting.counts(), *episodes, per_second)
                 : print_table(totals, counting.counts(), *episodes, per_second);
    return totals.failed_runs == 0 && totals.counts.rules_failed == 0 ? kOk : kFailed;
}

}  // namespace varde::app
