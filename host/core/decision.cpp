#include "core/decision.hpp"

#include "core/evidence_facts.hpp"

#include <algorithm>
#include <array>

namespace varde::core {
namespace {
constexpr std::array<std::string_view, 7> kNames{"met", "not_met", "no_data", "unknown", "gated", "skipped", "error"};
}

std::string_view name_of(DecisionOutcome outcome) { return kNames.at(static_cast<std::size_t>(outcome)); }

std::optional<DecisionOutcome> decision_outcome_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<DecisionOutcome>(i);
    }
    return std::nullopt;
}

std::string decision_reason(std::string_view text) {
    text = without_worker_log(text);
    constexpr std::string_view kCut = "...";
    std::string reason{text};
    if (text.size() > kMaxDecisionReason) {
        std::size_t end = kMaxDecisionReason - kCut.size();
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
        reason.resize(end);
        reason += kCut;
    }
    // PostgreSQL has no text with a NUL, and one rule's text must not cost a run.
    std::ranges::replace(reason, '\0', ' ');
    return reason;
}

}  // namespace varde::core
