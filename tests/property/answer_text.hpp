#pragma once
#include "core/verdict.hpp"
#include "time/utc_text.hpp"

#include <regex>
#include <string>

namespace varde::property {

/// The text with every time in it `moved` earlier, in the form it has.
inline std::string moved_back(const std::string& text, core::Microseconds moved) {
    static const std::regex time{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|\+00:00))"};
    std::string result;
    auto rest = text.begin();
    for (std::sregex_iterator match{text.begin(), text.end(), time}, end; match != end; ++match) {
        const core::Instant at = *time::parse_utc(match->str()) - moved;
        result.append(rest, text.begin() + match->position());
        result += match->str(1) == "Z" ? time::format_utc(at) : time::format_utc_offset(at);
        rest = text.begin() + match->position() + match->length();
    }
    return result.append(rest, text.end());
}

/// All that is said, one fact a line, with its times `moved` earlier. Not how long it took, and not whether it was carried over.
inline std::string answer_text(const core::Verdict& verdict, core::Microseconds moved = {}) {
    if (const auto* failed = std::get_if<core::Failed>(&verdict))
        return "failed: " + std::string{core::name_of(failed->reason)} + ": " + failed->message;
    const auto& answer = std::get<core::Completed>(verdict);
    const auto at = [&](core::Instant instant) {
        const bool is_mark = instant == core::Instant{} || instant == core::Instant::max();
        return is_mark ? std::string{instant == core::Instant{} ? "always" : "never"} : time::format_utc(instant - moved);
    };
    std::string text = std::string{core::name_of(answer.outcome)} + ": " + moved_back(answer.reason, moved);
    text += "\nvalid until " + at(answer.valid_until);
    for (const core::Finding& finding : answer.findings) {
        text += "\n" + std::string{core::name_of(finding.severity)} + " " + finding.title + ": " + finding.explanation;
        text += "\n  " + moved_back(finding.evidence, moved);
        text += "\n  [" + at(finding.window.since) + ", " + at(finding.window.until) + ") at " + at(finding.timestamp);
    }
    for (const core::Step& step : answer.steps)
        text += "\n" + std::string{core::name_of(step.kind)} + ": " + moved_back(step.text, moved);
    return text;
}

[[nodiscard]] inline bool is_met(const core::Verdict& verdict) {
    const auto* answer = std::get_if<core::Completed>(&verdict);
    return answer != nullptr && answer->outcome == core::Outcome::met;
}

}  // namespace varde::property
