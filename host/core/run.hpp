#pragma once
#include "core/instant.hpp"
#include "core/slot_reason.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varde::core {

enum class RunState : std::uint8_t {
    waiting,  ///< for what it depends on
    pending,  ///< for a worker, or for the time of its next attempt
    running,
    success,  // terminal from here on: the row never changes again
    failed,
    cancelled,
    skipped,  ///< never run: `reason` says why. One row may stand for many slots
    timed_out,
    abandoned,  ///< its host went away, and no attempt is left
};
[[nodiscard]] std::string_view name_of(RunState state);  ///< "waiting" ...
[[nodiscard]] std::optional<RunState> run_state_from(std::string_view name);
[[nodiscard]] constexpr bool is_terminal(RunState state) { return state >= RunState::success; }

/// What made the slot. Part of its identity: a manual run never takes the place of a scheduled one.
enum class SlotKind : std::uint8_t { scheduled, manual, event, after };
[[nodiscard]] std::string_view name_of(SlotKind kind);
[[nodiscard]] std::optional<SlotKind> slot_kind_from(std::string_view name);

/// One slot of a schedule and what became of it. At most one row has the same schedule, generation, nominal time and kind.
struct Run {
    std::int64_t run_id = 0;  ///< ascending in the order of creation
    std::string schedule_id;
    std::int64_t generation = 1;
    std::string org_id = "default";
    std::string job_kind;
    Instant nominal_at{};  ///< when it was due; of a skipped row with several slots: the newest
    SlotKind kind = SlotKind::scheduled;

    RunState state = RunState::pending;
    SlotReason reason = SlotReason::none;
    std::string detail;                   ///< for people: "run 17 was not over"
    std::optional<Instant> nominal_from;  ///< skipped rows: the oldest slot that the row stands for
    std::int64_t slots = 1;               ///< skipped rows: how many
    /// How many slots there were beyond what was counted is not known; then true.
    bool more_slots = false;

    int attempt = 0;  ///< the one that runs or ran last; 0: none yet
    int priority = 0;
    std::string queue = "default";
    Instant run_at{};                 ///< not before
    std::optional<Instant> start_by;  ///< pending: skipped as a misfire if not claimed by then; waiting: dependency_not_met
    std::string owner;                ///< id of the host that runs it
    std::int64_t epoch = 0;           ///< of that host; with `attempt` the fencing token
    std::optional<Instant> lease_until;
    bool cancel_requested = false;

    std::string input;            ///< JSON object merged over the schedule's params, or empty
    std::string idempotency_key;  ///< manual runs: the same key makes no second one
    std::string requested_by;     ///< manual runs: who

    Instant created_at{};
    std::optional<Instant> started_at;  ///< of the last attempt
    std::optional<Instant> finished_at;
    std::string error;   ///< what the last failed attempt said
    std::string result;  ///< JSON that the job answered, or empty
    friend bool operator==(const Run&, const Run&) = default;
};

}  // namespace varde::core
