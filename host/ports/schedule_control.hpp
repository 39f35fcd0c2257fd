#pragma once
#include "core/error.hpp"
#include "core/planned_slot.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace varde::ports {

enum class ScheduleAction { enable, disable, pause, resume_skip, resume_catch_up };

struct ManualRun {
    std::string input;            ///< JSON object, merged over the schedule's params; or empty
    std::string idempotency_key;  ///< 0..200 characters; empty: none
    std::string by;               ///< who asks
};

/// What people do with schedules and runs, over HTTP and on the command line. It checks, decides and stores; without a host that runs it
/// works just the same, and one that runs goes by it at once (its own changes) or within a second. Thread-safe; blocking: call on a
/// database thread only. `org_id`: of whose schedules; empty: everybody's.
class ScheduleControl {
  public:
    virtual ~ScheduleControl() = default;

    /// Checks a definition: trigger, policy, job kind and params. Errc::invalid_argument names the place: "trigger.cron: ...".
    [[nodiscard]] virtual core::Result<void> check(const core::Schedule& wanted) const = 0;
    /// The policy of definitions that do not say.
    [[nodiscard]] virtual core::SchedulePolicy defaults() const { return {}; }
    /// JobKind::reaches_beyond_org() of the schedule's kind; true for one that this host does not know.
    [[nodiscard]] virtual bool reaches_beyond_org(const core::Schedule& schedule) const = 0;
    /// An empty schedule_id gets a random one. Errors: check()'s and ScheduleRepository::create()'s.
    [[nodiscard]] virtual core::Result<core::Schedule> create(core::Schedule wanted, const std::string& by) = 0;
    /// `change` is called with the schedule as it is and gives what it is to be; what the host keeps (cursor, generation, version) is not
    /// taken from it. A slot that is due already is kept, whatever the new trigger; none before now is added. Changing the trigger
    /// begins a new generation. Errors: `change`'s, check()'s and ScheduleRepository::edit()'s.
    using Change = std::function<core::Result<core::Schedule>(const core::Schedule& current)>;
    [[nodiscard]] virtual core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                            const Change& change, const std::string& by) = 0;
    /// Changes nothing and says so by giving the same version if it is so already. Errc::conflict: a completed schedule.
    [[nodiscard]] virtual core::Result<core::Schedule> act(const std::string& schedule_id, const std::string& org_id,
                                                           ScheduleAction action, const std::string& by) = 0;
    [[nodiscard]] virtual core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool purge,
                                                    bool force, const std::string& by) = 0;

    /// Makes a slot of kind manual, for now. The cursor does not move. True: it is new; false: the key was there before.
    /// Errc::conflict: a run is alive and the overlap policy is skip; the context names it.
    [[nodiscard]] virtual core::Result<std::pair<core::Run, bool>> run_now(const std::string& schedule_id,
                                                                           const std::string& org_id,
                                                                           const ManualRun& manual) = 0;
    [[nodiscard]] virtual core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id,
                                                         const std::string& by) = 0;
    /// A new manual run with the input of one that is over. Errc::conflict: it is not over, or its schedule is gone.
    [[nodiscard]] virtual core::Result<core::Run> retry(std::int64_t run_id, const std::string& org_id,
                                                        const std::string& by) = 0;

    /// The next `count` (1..1000) slots after an instant, and what is lost between them; computed, nothing is stored.
    [[nodiscard]] virtual core::Result<std::vector<core::PlannedSlot>> preview(const core::Schedule& schedule,
                                                                               std::optional<core::Instant> after,
                                                                               int count) const = 0;
    [[nodiscard]] virtual core::Result<core::SlotExplanation> explain(const std::string& schedule_id, const std::string& org_id,
                                                                      core::Instant at) = 0;
    /// Name and summary of every job kind, by name.
    [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> job_kinds() const = 0;
};

}  // namespace varde::ports
