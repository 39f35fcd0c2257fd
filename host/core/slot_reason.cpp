#include "core/slot_reason.hpp"

#include <array>

namespace varde::core {
namespace {

struct Words {
    std::string_view name;
    std::string_view sentence;
};

constexpr std::array<Words, 19> kWords{{
    {"", "there is nothing to explain"},
    {"misfire", "nobody could start it within its grace, and the catch-up policy leaves it out"},
    {"coalesced", "a later slot that was due at the same time was run in its place"},
    {"overlap", "an earlier run of the schedule was not over"},
    {"superseded", "a newer slot of the schedule took its place"},
    {"paused", "the schedule was paused"},
    {"disabled", "the schedule was switched off"},
    {"outside_window", "it is outside of the schedule's execution window"},
    {"excluded", "its day is one that the schedule's calendars exclude"},
    {"event", "an event cancelled or moved it"},
    {"dependency_not_met", "what it depends on did not succeed in time"},
    {"queue_full", "too many runs were waiting for a worker"},
    {"no_job_kind", "the host that claimed it does not know its job kind"},
    {"owner_lost", "the host that ran it went away"},
    {"timed_out", "it ran longer than its run_timeout"},
    {"cancelled", "somebody cancelled it"},
    {"deleted", "the schedule was deleted"},
    {"stopping", "the host was stopped while it ran"},
    {"retry", "it failed and is tried again"},
}};

}  // namespace

std::string_view name_of(SlotReason reason) { return kWords.at(static_cast<std::size_t>(reason)).name; }

std::optional<SlotReason> slot_reason_from(std::string_view name) {
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (kWords[i].name == name) return static_cast<SlotReason>(i);
    }
    return std::nullopt;
}

std::string_view sentence_of(SlotReason reason) { return kWords.at(static_cast<std::size_t>(reason)).sentence; }

}  // namespace varde::core
