// What a tick of the real scheduler costs: R-001, R-002 and R-003 over 1,000 homes with a day of events each, in SQLite, in a sandbox.
// Between two ticks every home gets one new event, outside of the measured time.
#include "app/modules.hpp"
#include "evaluate/evaluation_engine.hpp"
#include "plugins/directory_catalogue.hpp"
#include "schedule/scheduler.hpp"
#include "time/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

namespace {

using namespace varde;
using Clock = std::chrono::steady_clock;
using std::chrono::minutes;

constexpr int kHomes = 1000;
constexpr int kTicks = 21;
constexpr core::Instant kStart{core::Microseconds{1'768'478'400'000'000}};
constexpr const char* kRules = R"(
rules:
  R-001: {enabled_in_scheduler: true, lookback_minutes: 240}
  R-002: {enabled_in_scheduler: true, lookback_minutes: 720}
  R-003: {enabled_in_scheduler: true, lookback_minutes: 240}
)";

[[noreturn]] void give_up(const std::string& what) {
    fmt::print(stderr, "bench_rules: {}\n", what);
    std::exit(1);
}

template <class Work>
double milliseconds_of(Work&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double, std::milli>{Clock::now() - start}.count();
}

/// One event in every home.
void add_events(ports::EventLog& log, core::Instant at, int round) {
    std::vector<core::Event> events(kHomes);
    for (int home = 0; home < kHomes; ++home) {
        core::Event& event = events[static_cast<std::size_t>(home)];
        event.event_id = fmt::format("{}-{}", home, round);
        event.scope = {"bench", fmt::format("home-{}", home), "resident"};
        event.time = at + std::chrono::milliseconds{home};
        event.received_at = event.time;
        event.category = (home + round) % 7 == 0 ? "door" : "motion";
        event.payload = event.category == "door" ? R"({"state":"open","door":"front"})" : R"({"state":"on"})";
    }
    if (auto stored = log.append(events); !stored) give_up(stored.error().context);
}

void tick(rules::Scheduler& scheduler) {
    const ports::RunSummary run = scheduler.step();
    if (!run.error.empty() || run.counts.rules_failed != 0 || run.counts.rules_ok != 3 * kHomes) {
        give_up(fmt::format("a run failed: {} ({} ok, {} failed)", run.error, run.counts.rules_ok, run.counts.rules_failed));
    }
}

}  // namespace

int main() {
    const app::ScratchFolder scratch;
    config::HostConfig settings;
    settings.database.url = "sqlite:" + (scratch.path() / "bench.db").string();
    settings.migrations_dir = VARDE_MIGRATIONS_DIR;
    settings.isolation.worker_path = VARDE_WORKER;
    settings.log_level = "error";
    auto storage = app::Storage::open(settings, app::Storage::Schema::migrate);
    if (!storage) give_up(storage.error().context);
    const auto rules_file = scratch.path() / "rules.yaml";
    std::ofstream{rules_file} << kRules;

    constexpr int kEventsBefore = 96;
    for (int i = 0; i < kEventsBefore; ++i) add_events(storage->events(), kStart - minutes{15} * (kEventsBefore - i), i);

    app::Log log{settings, stderr};
    time::ManualClock clock{kStart};
    plugins::DirectoryCatalogue catalogue{VARDE_PLUGINS_DIR};
    evaluate::EvaluationEngine engine{&storage->events(), settings.isolation, log.sink()};
    rules::SchedulerOptions options;
    options.rules_file = rules_file;
    rules::Scheduler scheduler{
        options,
        {engine, storage->deviations(), storage->rules(), storage->baselines(), storage->modes(), clock, log.sink()},
        catalogue};
    const double first = milliseconds_of([&] { tick(scheduler); });
    std::vector<double> next;
    for (int i = 1; i <= kTicks; ++i) {
        add_events(storage->events(), kStart + minutes{5} * i - minutes{1}, kEventsBefore + i);
        clock.set(kStart + minutes{5} * i);
        next.push_back(milliseconds_of([&] { tick(scheduler); }));
    }
    std::ranges::sort(next);
    fmt::print("{} homes x 3 rules, first tick (starts workers, reads {} events): {:.0f} ms\n", kHomes, kHomes * kEventsBefore,
               first);
    fmt::print("{} homes x 3 rules, next tick: median {:.1f} ms, slowest of {} {:.1f} ms\n", kHomes, next[next.size() / 2],
               kTicks, next.back());
}
