#pragma once
#include "core/instant.hpp"

#include <cstdint>
#include <string>

namespace varde::core {

/// A line of a preview: a slot to come, or a nominal time that will be none.
struct PlannedSlot {
    Instant nominal_at{};
    Instant starts_at{};              ///< with jitter
    std::int32_t offset_seconds = 0;  ///< of the trigger's zone
    bool fires = true;
    /// "natural", "end_of_gap", "first_pass", "second_pass", "lost_in_gap", "outside_window", "excluded" (by calendars), "rolled"
    std::string reason;
    std::string text;  ///< a sentence; empty if natural
};

/// Why a schedule did, or did not, run at an instant.
struct SlotExplanation {
    std::string schedule_id;
    Instant at{};
    std::string answer;       ///< a stable name: "ran", "not_due", "due_later", or a SlotReason, or a RunState
    std::string text;         ///< sentences for people
    std::int64_t run_id = 0;  ///< the row that says so; 0: none
    Instant nominal_at{};     ///< the slot that the answer is about; 0 if none
};

}  // namespace varde::core
