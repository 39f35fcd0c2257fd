#pragma once
#include "core/instant.hpp"
#include "core/trigger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::core {

/// What becomes of slots that are older than the misfire grace when they are found due.
enum class CatchUp : std::uint8_t {
    none,   ///< they are left out
    last,   ///< the newest of them is run, unless a timely slot is due too
    first,  ///< the oldest is run
    all,    ///< the newest catch_up_max of them are run
};
[[nodiscard]] std::string_view name_of(CatchUp policy);
[[nodiscard]] std::optional<CatchUp> catch_up_from(std::string_view name);

/// What becomes of a slot while as many runs of its schedule are alive (pending, waiting or running) as max_instances allows.
enum class Overlap : std::uint8_t {
    skip,          ///< it is left out
    queue_one,     ///< it waits; of several, one
    queue_all,     ///< it waits; at most max_queued
    cancel_other,  ///< it takes the others' place: they are cancelled
};
[[nodiscard]] std::string_view name_of(Overlap policy);
[[nodiscard]] std::optional<Overlap> overlap_from(std::string_view name);

/// Attempts belong to a slot: attempt n of slot t.
struct RetryPolicy {
    int max_attempts = 1;                               ///< 1..100
    Microseconds backoff{std::chrono::seconds{1}};      ///< before attempt 2; 0 .. 1 day
    Microseconds max_backoff{std::chrono::minutes{5}};  ///< 0 .. 1 day
    bool exponential = true;                            ///< twice as long before each further attempt
    friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What becomes of a nominal time on a day that the calendars exclude.
enum class CalendarRoll : std::uint8_t {
    skip,      ///< it is left out, with a record
    next,      ///< it moves to the same wall time of the next day that is not excluded
    previous,  ///< ... of the last such day before
};
[[nodiscard]] std::string_view name_of(CalendarRoll roll);
[[nodiscard]] std::optional<CalendarRoll> calendar_roll_from(std::string_view name);

/// On which days a schedule runs: those of any calendar in `include` (no calendar: all days) that are in none of `exclude`.
struct CalendarRule {
    std::vector<std::string> include;  ///< ids of calendars of the same organisation; each once, at most 20
    std::vector<std::string> exclude;  ///< the same
    CalendarRoll roll = CalendarRoll::skip;
    friend bool operator==(const CalendarRule&, const CalendarRule&) = default;
};

struct SchedulePolicy {
    /// How late a slot may be started on its own account; 1 s .. 400 days. nullopt: one period, at least 60 s and at most 1 h.
    std::optional<Microseconds> misfire_grace;
    bool coalesce = true;  ///< of several timely slots that are due at once only the newest is run
    CatchUp catch_up = CatchUp::last;
    int catch_up_max = 100;                       ///< 1..10000
    std::optional<Microseconds> catch_up_window;  ///< slots older than that are never made up; 1 s .. 400 days
    Overlap overlap = Overlap::skip;
    int max_instances = 1;  ///< 1..1000 runs of the schedule alive at the same time
    int max_queued = 100;   ///< 1..10000, for queue_all
    RetryPolicy retry;
    Microseconds run_timeout{std::chrono::minutes{10}};  ///< of one attempt; 1 s .. 7 days
    Microseconds jitter{0};  ///< a slot starts up to that much later, by its schedule and nominal time; 0 .. 1 day
    int priority = 0;        ///< -100..100; higher is claimed first
    std::string queue = "default";
    std::optional<Instant> starts_at;     ///< no slot before
    std::optional<Instant> ends_at;       ///< no slot at or after it; then the schedule is completed
    std::optional<Instant> window_since;  ///< slots before it are left out, with a record
    std::optional<Instant> window_until;  ///< slots at or after it are left out, with a record
    CalendarRule calendars;
    std::vector<std::string> depends_on;                     ///< ids of schedules; each once, at most 100
    Microseconds dependency_timeout{std::chrono::hours{1}};  ///< how long a slot waits for them; 1 s .. 400 days
    friend bool operator==(const SchedulePolicy&, const SchedulePolicy&) = default;
};

enum class ScheduleState : std::uint8_t {
    active,
    paused,     ///< no slots; the cursor stays, so that resuming can make up for them
    disabled,   ///< no slots; enabling starts with the next one
    completed,  ///< nothing more will ever be due
};
[[nodiscard]] std::string_view name_of(ScheduleState state);
[[nodiscard]] std::optional<ScheduleState> schedule_state_from(std::string_view name);

/// What to run, when, and what to do when that does not go as planned.
///
/// `next_at` and `last_nominal` are the cursor. They move in the same transaction that makes the runs, and `last_nominal` never goes back.
struct Schedule {
    std::string schedule_id;         ///< 1..100 of A-Z a-z 0-9 . _ - :
    std::int64_t generation = 1;     ///< another one for each trigger that the schedule has had; part of the identity of a slot
    std::int64_t version = 1;        ///< raised by every edit, and by nothing else
    std::string org_id = "default";  ///< empty: the host's own, about every organisation
    std::string name;                ///< for people, 0..200 characters
    std::string owner;               ///< 0..200 characters
    std::string labels = "{}";       ///< JSON object of texts, at most 64 KiB
    std::string kind;                ///< of the job: "http", "retention" ...
    std::string params = "{}";       ///< JSON object for the job, at most 64 KiB
    Trigger trigger;
    SchedulePolicy policy;
    ScheduleState state = ScheduleState::active;
    std::string source = "api";  ///< who owns the definition: "api", "config", "sync:NAME"
    Instant created_at{};
    Instant updated_at{};

    std::optional<Instant> next_at;       ///< nominal time of the next slot; nullopt: none, or not known before something happens
    std::optional<Instant> last_nominal;  ///< the newest slot that was decided about

    std::int64_t last_run_id = 0;  ///< the newest run that has started; 0: none
    std::string last_status;       ///< the state it ended in; empty while it runs, or if there is none
    std::optional<Instant> last_run_at;
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

}  // namespace varde::core
