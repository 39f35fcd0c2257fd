/// Holds a rule to its valid_until, as a scheduler that skips evaluations would.
#pragma once
#include <varde/test.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace varde::test {

/// Asks `rule` at every `step_us` from `first` to `last` about the `length_us` before, with the events that have come by then, and says
/// where an answer changed (outcome, severities, titles) before its valid_until although nothing came; empty: nowhere.
[[nodiscard]] inline std::string broken_promise(Rule& rule, const std::vector<Event>& events, std::string_view first,
                                                std::string_view last, int64_t length_us, int64_t step_us = 60'000'000) {
    const auto essence = [](const Answer& answer) {
        std::string text = std::to_string(answer.outcome);
        for (const Finding& finding : answer.findings) text += " " + finding.severity + " " + finding.title;
        return text + (answer.violations.empty() ? "" : " " + answer.violations.front()) + answer.error;
    };
    std::string held;
    std::string held_since;
    int64_t held_until = INT64_MIN;
    std::size_t known = 0;
    for (int64_t at = time_from(first); at <= time_from(last); at += step_us) {
        const std::string until = time_text(at, "Z");
        Window window(time_text(at - length_us, "Z"), until);
        for (const Event& event : events)
            if (time_from(event.time) < at) window.add(event);
        const Answer answer = rule.evaluate(window);
        const bool skipped = window.events().size() == known && at < held_until;
        if (skipped && essence(answer) != held)
            return "'" + held + "' of " + held_since + " was to hold until " + time_text(held_until, "Z") + ", but at " + until +
                   " it is '" + essence(answer) + "'";
        if (skipped) continue;
        known = window.events().size();
        held = essence(answer);
        held_since = until;
        held_until = answer.valid_until == "never"        ? INT64_MAX
                     : answer.valid_until == "ask always" ? INT64_MIN
                                                          : time_from(answer.valid_until);
    }
    return {};
}

}  // namespace varde::test
