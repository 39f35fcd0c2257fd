#include "crash.hpp"

#include "evaluate/evaluation_engine.hpp"
#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "plugins/plugin_file.hpp"
#include "window_bench.hpp"

#include <thread>

#include <fmt/format.h>

namespace varde::bench {
namespace {

constexpr int kRounds = 200;
constexpr std::size_t kEvents = 10'000;
/// A tick is seconds long, so spares are there again at the next one.
constexpr std::chrono::milliseconds kBetweenCrashes{20};
constexpr double kGoalUs = 1'000;

const core::Window kWindow{core::instant_from_us(kFirstTime),
                           core::instant_from_us(kFirstTime + static_cast<std::int64_t>(kEvents) * kSecond)};

/// `odd`: the rule "crashes" does.
ports::Evaluation asked(const char* rule, bool odd) {
    return {rule, {}, kWindow, kWindow.until + std::chrono::microseconds{odd ? 1 : 0}};
}

ports::RuleSpec spec_of(const char* rule) {
    auto plugin = plugins::inspect(fmt::format("{}/{}.so", VARDE_BENCH_RULES, rule));
    if (!plugin) give_up(plugin.error().message);
    ports::RuleSpec spec;
    spec.plugin = std::move(*plugin);
    spec.lookback = std::chrono::seconds{kEvents};
    return spec;
}

/// The verdicts say that the first `failed` of the rules failed and the others did not.
void evaluate(evaluate::EvaluationEngine& engine, const std::vector<ports::Evaluation>& evaluations, std::size_t failed) {
    const auto verdicts = engine.evaluate(evaluations);
    if (!verdicts) give_up(verdicts.error().context);
    for (std::size_t i = 0; i < verdicts->size(); ++i) {
        const auto* failure = std::get_if<core::Failed>(&verdicts->at(i));
        if ((failure != nullptr) == (i < failed)) continue;
        give_up(failure == nullptr ? "a rule that should have crashed answered" : failure->message);
    }
}

}  // namespace

void crash_and_go_on(Goals& goals) {
    fakes::LogSink sink;
    fakes::EventLog log;
    std::vector<core::Event> events;
    for (std::size_t i = 0; i < kEvents; ++i) events.push_back(event_at(i));
    if (auto stored = log.append(events); !stored) give_up(stored.error().context);
    config::HostConfig::Isolation settings;
    settings.worker_path = VARDE_WORKER;
    evaluate::EvaluationEngine engine{&log, settings, sink};
    for (const auto& failure : engine.configure({spec_of("crashes"), spec_of("nothing")}))
        if (failure) give_up(failure->message);
    if (auto done = engine.catch_up(kWindow.until); !done) give_up(done.error().context);
    evaluate(engine, {asked("crashes", false), asked("nothing", false)}, 0);

    std::vector<double> undisturbed, other, again;
    for (int round = 0; round < kRounds; ++round) {
        std::this_thread::sleep_for(kBetweenCrashes);
        undisturbed.push_back(nanoseconds_of([&] { evaluate(engine, {asked("crashes", false), asked("nothing", false)}, 0); }));
        const auto start = Clock::now();
        other.push_back(nanoseconds_of([&] { evaluate(engine, {asked("crashes", true), asked("nothing", true)}, 1); }));
        evaluate(engine, {asked("crashes", false)}, 0);
        again.push_back(std::chrono::duration<double, std::nano>{Clock::now() - start}.count());
    }
    fmt::print("two rules over {} events, none crashes:      {}\n", kEvents, p50_p99(undisturbed));
    fmt::print("one crashes, until the other has answered:      {}\n", p50_p99(other));
    fmt::print("one crashes, until that one has answered again: {}\n", p50_p99(again));
    goals.at_most("from the crash of a rule to another one's answer, p50", median(other) / 1e3, kGoalUs, "us");
}

}  // namespace varde::bench
