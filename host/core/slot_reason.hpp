#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace varde::core {

/// Why a slot was not run, or why its run ended as it did. Every slot without a run and every run that neither succeeded nor failed by
/// itself has one. Stored by name; a name never changes its meaning.
enum class SlotReason : std::uint8_t {
    none,                ///< nothing to explain
    misfire,             ///< nobody could start it within its grace, and the catch-up policy leaves it out
    coalesced,           ///< a later slot of the same schedule, due at the same time, was run in its place
    overlap,             ///< a run of the same schedule was not over, and the overlap policy leaves the new one out
    superseded,          ///< a newer slot of the same schedule took its place (cancel_other)
    paused,              ///< the schedule was paused
    disabled,            ///< the schedule was switched off
    outside_window,      ///< not within the schedule's execution window
    excluded,            ///< on a day that the schedule's calendars exclude
    event,               ///< an event that it listens to came before its time and cancelled it
    dependency_not_met,  ///< what it depends on did not succeed in time
    queue_full,          ///< too many runs were waiting for a worker
    no_job_kind,         ///< the host that claimed it does not know its job kind
    owner_lost,          ///< the host that ran it went away
    timed_out,           ///< it ran longer than the schedule's run_timeout
    cancelled,           ///< somebody cancelled it
    deleted,             ///< the schedule was deleted
    stopping,            ///< the host was stopped while it ran
    retry,               ///< it failed and is tried again
};
[[nodiscard]] std::string_view name_of(SlotReason reason);  ///< "misfire"; none: ""
[[nodiscard]] std::optional<SlotReason> slot_reason_from(std::string_view name);
/// What it means, as a sentence without an end: "nobody could start it within its grace".
[[nodiscard]] std::string_view sentence_of(SlotReason reason);

}  // namespace varde::core
