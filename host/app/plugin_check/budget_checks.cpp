#include "app/plugin_check/budget.hpp"
#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/trial.hpp"

#include <fmt/format.h>

namespace varde::app::plugin_check {
namespace {

using core::Failed;

constexpr int kEvaluations = 1'000;
constexpr int kWarmUp = 200;
constexpr int kSampleEvery = 50;

Answer check_memory(const Subject& subject) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    const auto words = vocabulary_of(subject.manifest.value_or(config::RuleManifest{}));
    Dice dice{subject.seed};
    std::vector<std::vector<core::Event>> windows;
    for (int i = 0; i < 10; ++i) windows.push_back(plain_events(words, subject.window(), 100, dice));
    std::vector<std::int64_t> samples;
    const int worker = trial.worker_pid();
    for (int i = 1; i <= kEvaluations; ++i) {
        const auto verdict = trial.evaluate(dice.one_of(windows));
        if (const auto* failed = std::get_if<Failed>(&verdict))
            return fail(fmt::format("evaluation {}: {}", i, text_of(*failed)));
        if (i < kWarmUp || i % kSampleEvery != 0) continue;
        const auto memory = trial.memory_bytes();
        if (!memory) return skip("the system does not say how much memory the worker holds");
        samples.push_back(*memory);
    }
    if (trial.worker_pid() != worker)
        return warn("the worker was replaced meanwhile: isolation.max_growth_mb or max_evaluations of host.yaml");
    return judge_memory(samples, kSampleEvery);
}

Answer check_time(const Subject& subject) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    const auto words = vocabulary_of(subject.manifest.value_or(config::RuleManifest{}));
    Dice dice{subject.seed};
    std::chrono::nanoseconds slowest{};
    std::size_t events_of_slowest = 0;
    for (const std::size_t count : {100u, 1'000u, 10'000u, 10'000u, 10'000u, 100'000u}) {
        const auto verdict = trial.evaluate(plain_events(words, subject.window(), count, dice));
        if (const auto* failed = std::get_if<Failed>(&verdict)) {
            if (failed->reason == core::FailureReason::input_too_large) continue;
            return fail(fmt::format("{} events: {}", count, text_of(*failed)));
        }
        const auto took = std::get<core::Completed>(verdict).duration;
        if (took <= slowest) continue;
        slowest = took;
        events_of_slowest = count;
    }
    return judge_time(slowest, events_of_slowest, subject.timeout);
}

}  // namespace

Answer judge_memory(const std::vector<std::int64_t>& samples, int evaluations_between) {
    if (samples.size() < 4) return skip("too few measurements");
    // What is full after the warm-up stays; a leak goes on in the second half as in the first.
    const auto half = samples.size() / 2;
    const auto grown = samples.back() - samples[half];
    const auto evaluations = static_cast<std::int64_t>(samples.size() - 1 - half) * evaluations_between;
    const auto text =
        fmt::format("{} KiB held, {:+} KiB over the last {} evaluations", samples.back() / 1024, grown / 1024, evaluations);
    const auto each = static_cast<double>(grown) / static_cast<double>(evaluations);
    if (each > kLeakBytes) return fail(fmt::format("{}: about {:.1f} KiB are lost in each", text, each / 1024));
    if (each > kSuspectBytes) return warn(fmt::format("{}: is something kept from window to window?", text));
    return pass(text);
}

Answer judge_time(std::chrono::nanoseconds slowest, std::size_t events, std::chrono::milliseconds timeout) {
    const auto share = std::chrono::duration<double>(slowest) / std::chrono::duration<double>(timeout);
    const auto text = fmt::format("the slowest window, of {} events, took {:.2f} ms of {} ms", events,
                                  std::chrono::duration<double, std::milli>(slowest).count(), timeout.count());
    return share > kBusyShare ? warn(text + ": more than half; a busy machine would miss the deadline") : pass(text);
}

std::vector<Check> budget_checks() {
    return {
        {"budget.memory", "1,000 evaluations leave nothing behind", false, true, check_memory},
        {"budget.time", "the slowest window leaves half of timeout_ms", false, true, check_time},
    };
}

}  // namespace varde::app::plugin_check
