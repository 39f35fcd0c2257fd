#include "app/plugin_check/event_maker.hpp"
#include "app/plugin_check/same_answer.hpp"
#include "app/plugin_check/trial.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace varde::app::plugin_check {
namespace {

using core::Completed;
using core::Failed;

constexpr int kWindows = 20;

/// Windows that differ in how full they are: a rule about silence speaks in others than a rule about doors.
class Windows {
  public:
    explicit Windows(const Subject& subject)
        : words_{vocabulary_of(subject.manifest.value_or(config::RuleManifest{}))},
          window_{subject.window()},
          dice_{subject.seed} {}
    std::vector<core::Event> next() {
        static const std::vector<std::size_t> sizes{0, 1, 3, 10, 30, 300};
        return plain_events(words_, window_, dice_.one_of(sizes), dice_);
    }
    Dice& dice() { return dice_; }

  private:
    Vocabulary words_;
    core::Window window_;
    Dice dice_;
};

std::string where(int window, std::size_t events) {
    return fmt::format("window {} of {}, {} events", window + 1, kWindows, events);
}

/// Judges each window as it is and in another shape that must not make a difference. `change` makes the shape; `undo` turns what the rule
/// said of it back.
using Change = std::function<std::vector<core::Event>(std::vector<core::Event>, Dice&)>;
using Undo = std::function<std::string(const std::string&)>;
Answer compare(const Subject& subject, const Change& change, const Undo& undo) {
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    Windows windows{subject};
    int met = 0;
    std::string reordered;
    int i = 0;
    for (; i < kWindows && !trial.out_of_time(); ++i) {
        const auto events = windows.next();
        const auto changed = change(events, windows.dice());
        const core::Verdict verdicts[] = {trial.evaluate(events), trial.evaluate(changed)};
        for (const auto& verdict : verdicts) {
            if (const auto* failed = std::get_if<Failed>(&verdict))
                return fail(fmt::format("{}: {}", where(i, events.size()), text_of(*failed)));
        }
        const auto& answer = std::get<Completed>(verdicts[0]);
        met += answer.outcome == core::Outcome::met ? 1 : 0;
        const auto one = text_of(answer);
        const auto other = undo(text_of(std::get<Completed>(verdicts[1])));
        if (one == other) continue;
        const auto difference = fmt::format("{}: {}", where(i, events.size()), first_difference(one, other));
        if (!same_but_for_order(one, other)) return fail(difference);
        reordered = difference;
    }
    if (!reordered.empty()) return warn("the order inside lists of evidence differs: " + reordered);
    return pass(fmt::format("{} windows, {} with findings, judged alike", i, met));
}

Answer check_arrival_order(const Subject& subject) {
    const auto shuffled = [](std::vector<core::Event> events, Dice& dice) {
        dice.shuffle(events);
        return events;
    };
    return compare(subject, shuffled, [](const std::string& text) { return text; });
}

Answer check_event_ids(const Subject& subject) {
    std::map<std::string, std::string> original;  // new id -> the one it stands for
    const auto renamed = [&](std::vector<core::Event> events, Dice& dice) {
        std::vector<std::string> ids;
        ids.reserve(events.size());
        for (const auto& event : events) ids.push_back(event.event_id);
        dice.shuffle(ids);
        original.clear();
        for (std::size_t i = 0; i < events.size(); ++i) {
            original[ids[i]] = events[i].event_id;
            events[i].event_id = ids[i];
        }
        return events;
    };
    return compare(subject, renamed, [&](const std::string& text) { return with_ids(text, original); });
}

/// The answer to `events` after the worker has judged another window, and in a fresh worker.
Answer check_repeat(const Subject& subject) {
    Trial trial{subject};
    Trial other{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    if (other.failure()) return fail(text_of(*other.failure()));
    Windows windows{subject};
    int met = 0;
    int i = 0;
    for (; i < kWindows && !trial.out_of_time(); ++i) {
        const auto events = windows.next();
        const auto between = windows.next();
        std::vector<core::Verdict> verdicts{trial.evaluate(events), trial.evaluate(events), trial.evaluate(between),
                                            trial.evaluate(events), other.evaluate(events)};
        verdicts.erase(verdicts.begin() + 2);
        for (const auto& verdict : verdicts) {
            if (const auto* failed = std::get_if<Failed>(&verdict))
                return fail(fmt::format("{}: {}", where(i, events.size()), text_of(*failed)));
        }
        const auto first = text_of(std::get<Completed>(verdicts[0]));
        met += std::get<Completed>(verdicts[0]).outcome == core::Outcome::met ? 1 : 0;
        constexpr const char* asked[] = {"", "asked again at once", "asked again after another window", "in a fresh worker"};
        for (std::size_t n = 1; n < verdicts.size(); ++n) {
            const auto again = text_of(std::get<Completed>(verdicts[n]));
            if (again != first)
                return fail(fmt::format("{}, {}: {}", where(i, events.size()), asked[n], first_difference(first, again)));
        }
    }
    return pass(fmt::format("{} windows, {} with findings, judged alike four times each", i, met));
}

/// The part of an answer that a host carries over until valid_until.
std::string held(const Completed& answer) {
    std::string text{core::name_of(answer.outcome)};
    for (const auto& finding : answer.findings) text += fmt::format("; {} {}", core::name_of(finding.severity), finding.title);
    return text;
}

std::string seconds(core::Microseconds duration) {
    return fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

/// What is wrong with the answer `now` to `events`, if it is asked for again at `at`, before it was to end; empty: nothing.
std::string broken_promise(Trial& trial, const Subject& subject, std::span<const core::Event> events, const Completed& now,
                           core::Instant at) {
    const auto window = subject.window();
    const auto ahead = at - window.until;
    const auto later = trial.evaluate(events, subject.params, {window.since + ahead, at});
    if (const auto* failed = std::get_if<Failed>(&later)) return text_of(*failed);
    const auto then = held(std::get<Completed>(later));
    if (then == held(now)) return {};
    return fmt::format("'{}' was to hold {}, but {} later, without a new event, it is '{}'", held(now),
                       now.valid_until == core::Instant::max() ? "for ever" : "for " + seconds(now.valid_until - window.until),
                       seconds(ahead), then);
}

Answer check_valid_until(const Subject& subject) {
    constexpr std::chrono::hours reach{48};  // an answer that holds longer is looked at so far ahead
    Trial trial{subject};
    if (trial.failure()) return fail(text_of(*trial.failure()));
    Windows windows{subject};
    const auto until = subject.window().until;
    int holding = 0;
    int i = 0;
    for (; i < kWindows && !trial.out_of_time(); ++i) {
        const auto events = windows.next();
        const auto verdict = trial.evaluate(events);
        if (const auto* failed = std::get_if<Failed>(&verdict))
            return fail(fmt::format("{}: {}", where(i, events.size()), text_of(*failed)));
        const auto& now = std::get<Completed>(verdict);
        if (now.valid_until <= until) continue;  // asked at the next tick anyway
        ++holding;
        const auto last = std::min(now.valid_until, until + reach) - core::Microseconds{1};
        for (const auto at : {until + (last - until) / 2, last}) {
            if (const auto broken = broken_promise(trial, subject, events, now, at); !broken.empty())
                return fail(fmt::format("{}: {}", where(i, events.size()), broken));
        }
    }
    return pass(holding == 0 ? "it asks to be judged at every tick"
                             : fmt::format("{} of {} answers said how long they hold, and did", holding, i));
}

}  // namespace

std::vector<Check> answer_checks() {
    return {
        {"answers.repeat", "the same window has the same answer", false, true, check_repeat},
        {"answers.event_ids", "other event ids make no difference", false, true, check_event_ids},
        {"answers.arrival_order", "another order of arrival makes no difference for events at distinct instants", false, true,
         check_arrival_order},
        {"answers.valid_until", "an answer holds as long as it says", false, true, check_valid_until},
    };
}

}  // namespace varde::app::plugin_check
