#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/trial.hpp"

#include <fmt/format.h>

namespace varde::app::plugin_check {
namespace {

using core::Failed;
using core::FailureReason;
using MakeEvents = std::vector<core::Event> (*)(const Vocabulary&, core::Window, std::size_t, Dice&);

double ms(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// `windows` windows of `count` events, one after the other in one worker.
Answer judge_windows(const Subject& subject, std::size_t count, int windows, MakeEvents make) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    const auto words = vocabulary_of(subject.manifest.value_or(config::RuleManifest{}));
    Dice dice{subject.seed};
    int met = 0;
    std::chrono::nanoseconds slowest{};
    int i = 0;
    for (; i < windows && !trial.out_of_time(); ++i) {
        const auto events = make(words, subject.window(), count, dice);
        const auto verdict = trial.evaluate(events);
        if (const auto* failed = std::get_if<Failed>(&verdict)) {
            if (failed->reason == FailureReason::input_too_large)
                return skip(fmt::format("isolation.window_bytes of host.yaml is too small: {}", failed->message));
            return fail(fmt::format("window {} of {}, {} events: {}", i + 1, windows, count, text_of(*failed)));
        }
        const auto& answer = std::get<core::Completed>(verdict);
        met += answer.outcome == core::Outcome::met ? 1 : 0;
        slowest = std::max(slowest, answer.duration);
    }
    return pass(fmt::format("{} answered, {} with findings, the slowest in {:.2f} ms", i, met, ms(slowest)));
}

Answer check_empty(const Subject& subject) { return judge_windows(subject, 0, 1, plain_events); }
Answer check_one(const Subject& subject) { return judge_windows(subject, 1, 20, plain_events); }
Answer check_ten_thousand(const Subject& subject) { return judge_windows(subject, 10'000, 3, plain_events); }
Answer check_hundred_thousand(const Subject& subject) { return judge_windows(subject, 100'000, 1, plain_events); }
Answer check_odd(const Subject& subject) { return judge_windows(subject, 300, 20, odd_events); }
Answer check_long(const Subject& subject) { return judge_windows(subject, 100, 2, long_events); }

}  // namespace

std::vector<Check> window_checks() {
    return {
        {"windows.empty", "a window without events is judged", false, true, check_empty},
        {"windows.one", "windows of one event are judged", false, true, check_one},
        {"windows.10000", "windows of 10,000 events are judged", false, true, check_ten_thousand},
        {"windows.100000", "a window of 100,000 events is judged", false, true, check_hundred_thousand},
        {"windows.odd_payloads", "payloads of every kind of JSON are judged", false, true, check_odd},
        {"windows.long_texts", "ids, names and payloads as long as they may be are judged", false, true, check_long},
    };
}

}  // namespace varde::app::plugin_check
