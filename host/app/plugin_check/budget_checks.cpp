#include "app/plugin_check/budget.hpp"
#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/trial.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace varde::app::plugin_check {
namespace {

using core::Failed;

constexpr int kEvaluations = 1'000;
constexpr int kSampleEvery = 50;

/// Evaluates small windows again and again; `after` is told of each and says whether to go on. A failure is the answer.
std::optional<Answer> evaluate_often(const Subject& subject, Trial& trial, int times,
                                     const std::function<bool(int, const core::Completed&)>& after) {
    const auto words = vocabulary_of(subject.manifest.value_or(config::RuleManifest{}));
    Dice dice{subject.seed};
    std::vector<std::vector<core::Event>> windows;
    windows.reserve(10);
    for (int i = 0; i < 10; ++i) windows.push_back(plain_events(words, subject.window(), 100, dice));
    for (int i = 1; i <= times && !trial.out_of_time(); ++i) {
        const auto verdict = trial.evaluate(dice.one_of(windows));
        if (const auto* failed = std::get_if<Failed>(&verdict))
            return fail(fmt::format("evaluation {}: {}", i, text_of(*failed)));
        if (!after(i, std::get<core::Completed>(verdict))) break;
    }
    return std::nullopt;
}

Answer check_memory(const Subject& subject) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    std::vector<std::int64_t> samples;
    bool known = true;
    const int worker = trial.worker_pid();
    const auto broken = evaluate_often(subject, trial, kEvaluations, [&](int i, const core::Completed&) {
        if (i % kSampleEvery != 0) return true;
        const auto memory = trial.memory_bytes();
        if (memory) samples.push_back(*memory);
        return known = memory.has_value();
    });
    if (broken) return *broken;
    if (!known) return skip("the system does not say how much memory the worker holds");
    if (trial.worker_pid() != worker) return warn("the worker was lost between two evaluations");
    return judge_memory(samples, kSampleEvery, static_cast<std::int64_t>(subject.memory_bytes));
}

Answer check_pace(const Subject& subject) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    std::vector<std::chrono::nanoseconds> durations;
    const auto broken = evaluate_often(subject, trial, 100, [&](int, const core::Completed& answer) {
        durations.push_back(answer.duration);
        return true;
    });
    return broken ? *broken : judge_pace(durations);
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

Answer judge_memory(const std::vector<std::int64_t>& samples, int evaluations_between, std::int64_t limit) {
    if (samples.size() < 4) return skip("too few measurements");
    // What is full after a while stays; a leak goes on in the second half as in the first.
    const auto half = samples.size() / 2;
    const auto grown = samples.back() - samples[half];
    const auto evaluations = static_cast<std::int64_t>(samples.size() - 1 - half) * evaluations_between;
    const auto text =
        fmt::format("{} KiB held, {:+} KiB over the last {} evaluations", samples.back() / 1024, grown / 1024, evaluations);
    const auto each = static_cast<double>(grown) / static_cast<double>(evaluations);
    if (static_cast<double>(samples.back()) > kFullShare * static_cast<double>(limit))
        return fail(fmt::format("{}: memory_mb ({} MiB) fills up", text, limit >> 20));
    if (each > kLeakBytes) return fail(fmt::format("{}: about {:.1f} KiB are lost in each", text, each / 1024));
    if (each > kSuspectBytes) return warn(fmt::format("{}: is something kept from window to window?", text));
    return pass(text);
}

Answer judge_pace(const std::vector<std::chrono::nanoseconds>& durations) {
    const auto quarter = durations.size() / 4;
    if (quarter == 0) return skip("too few measurements");
    // The middle one of each quarter: a hiccup of the machine is no trend.
    const auto middle = [&](std::size_t first) {
        std::vector<std::chrono::nanoseconds> part(durations.begin() + static_cast<std::ptrdiff_t>(first),
                                                   durations.begin() + static_cast<std::ptrdiff_t>(first + quarter));
        std::ranges::nth_element(part, part.begin() + static_cast<std::ptrdiff_t>(quarter / 2));
        return part[quarter / 2];
    };
    const auto early = middle(0);
    const auto late = middle(durations.size() - quarter);
    const auto ms = [](std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
    const auto text =
        fmt::format("{:.3f} ms at first, {:.3f} ms after {} evaluations of equal windows", ms(early), ms(late), durations.size());
    return late > 3 * early && late - early > kNoticeable ? fail(text + ": it becomes slower; what does it keep?") : pass(text);
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
        {"budget.pace", "evaluations do not become slower", false, true, check_pace},
        {"budget.time", "the slowest window leaves half of timeout_ms", false, true, check_time},
    };
}

}  // namespace varde::app::plugin_check
