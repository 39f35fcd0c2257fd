#pragma once
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"
#include "ports/calendar_repository.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ports {

struct ScheduleQuery {
    std::string org_id;  ///< empty: all
    std::optional<std::string> kind;
    std::optional<core::ScheduleState> state;
    std::optional<std::string> source;
    std::optional<std::string> name_contains;  ///< in the id or the name, any case of A-Z
    std::optional<std::string> label;          ///< "key=value": with that label
    /// Keyset paging: schedules that come after this one in the order newest first.
    struct Place {
        core::Instant created_at;
        std::string schedule_id;
    };
    std::optional<Place> after;
    int limit = 20;  ///< 1..1000
};

/// When a schedule that something depends on, or that depends on something, last succeeded.
struct DependencyFacts {
    /// Each schedule of depends_on: when its newest successful run finished; nullopt: never, or there is no such schedule.
    std::map<std::string, std::optional<core::Instant>, std::less<>> succeeded_at;
    std::optional<core::Instant> own_success_started_at;  ///< when the newest successful run of the schedule itself started
};

/// A schedule whose next slot is due, as it is in the transaction that decides about it.
struct DueSchedule {
    core::Schedule schedule;
    int live = 0;                 ///< its runs that are waiting, pending or running
    int queued = 0;               ///< of those: not running
    DependencyFacts facts;        ///< filled if depends_on is not empty
    core::Calendars calendars{};  ///< those that its policy names and that exist
    /// Of a one-off that listens: the events of its organisation and of the categories that it listens to which it has not been asked
    /// about, oldest first. They outlive the call that they are given to, and nothing else.
    std::vector<const core::Event*> events = {};
    bool more_events = false;  ///< there are more: ask again
};

/// What an event did to a one-off that listens to it.
struct HeededEvent {
    enum class Effect { cancelled, moved, refused } effect = Effect::refused;
    std::string schedule_id;
    std::string org_id;
    std::string category;
    std::string event_id;
    core::Instant from{};             ///< the time of the one-off until then
    std::optional<core::Instant> to;  ///< moved: from now on
    std::string problem;              ///< refused: why the time in the event cannot be used
};

/// What is decided about a due schedule: the new cursor and rows for every slot up to it.
struct DueDecision {
    std::optional<core::Instant> next_at;
    std::optional<core::Instant> last_nominal;
    bool completed = false;
    bool cancel_live = false;     ///< its waiting and pending runs are cancelled (superseded), its running ones are asked to stop
    std::vector<core::Run> runs;  ///< new rows; run_id and org_id are filled in by the repository
    /// A one-off's new time: its trigger says so from now on; version and generation are raised.
    std::optional<core::Instant> moved_to = {};
    /// What its events did. If there are any, it is not asked about its events of this time again.
    std::vector<HeededEvent> heeded = {};
};

struct FiredSlots {
    int schedules = 0;            ///< that were decided about; as many as the limit: there may be more
    std::vector<core::Run> rows;  ///< that were inserted, with their ids. A slot that had a row already is not among them
    std::vector<HeededEvent> heeded;
};

/// What a schedule listens to.
struct EventListener {
    std::string schedule_id;
    std::string org_id;
    core::EventMatch match;
    std::int64_t since = 0;  ///< events with a higher seq are meant
};
/// Gives the ids of the schedules that any of the events means; each once.
using CalledBy =
    std::function<std::vector<std::string>(std::span<const core::Event> events, std::span<const EventListener> listeners)>;

struct HeardEvents {
    int armed = 0;      ///< event schedules that became due
    bool more = false;  ///< there are events that have not been looked at
    FiredSlots fired;   ///< what became of one-offs
};

struct WaitingRun {
    core::Run run;
    core::Schedule schedule;
    DependencyFacts facts;
    int ahead = 0;  ///< other runs of the schedule that are pending or running, also those that were released in the same call
};
struct WaitingDecision {
    enum class What { keep, release, skip } what = What::keep;
    std::string detail;  ///< of a skipped one: what was missing
};

/// Schedules and their cursors. Thread-safe; blocking. Callbacks may be called again for the same schedule or run (a deadlock is tried
/// again): they have no effect but what they give. `now` is the caller's; on PostgreSQL it follows the database's clock
/// (schedule/host_time.hpp), so that hosts agree. Every change is durable when the call returns.
class ScheduleRepository {
  public:
    virtual ~ScheduleRepository() = default;

    /// Called with a schedule that is locked, and with what reads calendars; gives the new one, and rows for the history (slots left out
    /// by resuming). An error undoes everything and is handed on.
    struct Edited {
        core::Schedule schedule;
        std::vector<core::Run> runs;
        /// Its waiting and pending runs are cancelled, for this reason. Running ones are left alone.
        std::optional<core::SlotReason> cancel_queued;
    };
    using Edit = std::function<core::Result<Edited>(const core::Schedule& current, const CalendarsOf& calendars_of)>;

    /// Stores a new schedule. `version` becomes 1, `generation` one that no run of that id has had. Errc::conflict: the id is taken, or
    /// (context "cycle: a -> b -> a") its dependencies close a circle. Errc::not_found: a dependency or a calendar does not exist or is of
    /// another org.
    [[nodiscard]] virtual core::Result<core::Schedule> create(const core::Schedule& schedule) = 0;
    /// Reads, lets `edit` change and writes in one transaction. The id, org and created_at stay; `version` is raised. Errors as create();
    /// Errc::not_found also if there is no such schedule in the org (empty: any).
    [[nodiscard]] virtual core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                            const Edit& edit) = 0;
    /// Deletes it. Its waiting and pending runs become cancelled (deleted), running ones are asked to stop; its history stays, unless
    /// `purge`. Errc::conflict names schedules that depend on it, unless `force`. Errc::not_found as edit().
    [[nodiscard]] virtual core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool purge,
                                                    bool force, core::Instant now) = 0;
    /// With last_run_id, last_status and last_run_at. Errc::not_found as edit().
    [[nodiscard]] virtual core::Result<core::Schedule> find(const std::string& schedule_id, const std::string& org_id) = 0;
    /// Newest first, with the same. Errc::invalid_argument: the limit.
    [[nodiscard]] virtual core::Result<std::vector<core::Schedule>> list(const ScheduleQuery& query) = 0;
    [[nodiscard]] virtual core::Result<std::int64_t> count(const ScheduleQuery& query) = 0;
    /// Ids of the schedules that depend on it; `transitive`: also on those. In the order of distance, then id.
    [[nodiscard]] virtual core::Result<std::vector<std::string>> dependents(const std::string& schedule_id, bool transitive) = 0;

    /// Notes which version of the time zone rules cursors are made with. Was it another one before, `recompute` is asked about every
    /// schedule with a cron trigger and a next slot, and what it makes of next_at and state is written in the same transaction; no version
    /// is raised.
    struct Moved {
        std::string schedule_id;
        std::optional<core::Instant> from;
        std::optional<core::Instant> to;
    };
    struct ZonesFollowed {
        std::string before;  ///< empty: none was noted
        std::vector<Moved> moved;
    };
    [[nodiscard]] virtual core::Result<ZonesFollowed> follow_zones(const std::string& tzdata,
                                                                   const CalendarRepository::Recompute& recompute) = 0;

    /// Takes up to `limit` active schedules with next_at <= now, those due first first, that no other host is deciding about; asks
    /// `decide` about each; writes all it says, in one transaction. Slots that have a row already are left as they are. A one-off that
    /// listens comes with every event stored until now that it has not heard of.
    [[nodiscard]] virtual core::Result<FiredSlots> fire_due(core::Instant now, int limit,
                                                            const std::function<DueDecision(const DueSchedule&)>& decide) = 0;
    /// The earliest next_at of an active schedule.
    [[nodiscard]] virtual core::Result<std::optional<core::Instant>> next_due() = 0;
    /// Looks at stored events that no schedule has heard of, the oldest first and a bounded number of them: active event schedules that
    /// are called become due at now + their debounce, unless they are due already; `decide` is asked about one-offs that are called,
    /// in any state but completed, whether they are due or not. Each event is heard once, by whichever host, and none is lost
    /// when a host goes away; a schedule hears what was stored after it was made, or after its trigger was changed.
    virtual core::Result<HeardEvents> hear_events(core::Instant now, const CalledBy& called,
                                                  const std::function<DueDecision(const DueSchedule&)>& decide) = 0;
    /// The categories that schedules listen to.
    [[nodiscard]] virtual core::Result<std::vector<std::string>> event_categories() = 0;
    /// Asks `decide` about up to `limit` runs that wait (for dependencies, or for runs before them) and are not past their start_by, the
    /// oldest first; released ones become pending with run_at = now, skipped ones dependency_not_met. Gives how many were changed.
    virtual core::Result<int> settle_waiting(core::Instant now, int limit,
                                             const std::function<WaitingDecision(const WaitingRun&)>& decide) = 0;
};

}  // namespace varde::ports
