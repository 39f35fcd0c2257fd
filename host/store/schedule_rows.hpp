#pragma once
#include "core/error.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"
#include "store/conditions.hpp"
#include "store/row_batch.hpp"
#include "store/session.hpp"

#include <string>
#include <vector>

namespace varde::store {

/// What read_schedule() reads.
inline constexpr SqlColumns schedule_columns{
    "schedule_id, org_id, version, generation, name, owner, labels, kind, params, trigger, policy, state, source, created_at,"
    " updated_at, next_at, last_nominal",
    "ttnntttttttttnnnn"};

/// The schedule whose columns begin at `first`. Errc::database_failed names one that somebody has broken by hand.
[[nodiscard]] core::Result<core::Schedule> read_schedule(const SqlRow& row, int first);

/// Those under `conditions` (the table is `s`) with their last runs; `tail`: ORDER BY, LIMIT, FOR UPDATE OF s. Throws SqlFailure and
/// soci::soci_error.
[[nodiscard]] std::vector<core::Schedule> select_schedules(Session& session, const Conditions& conditions,
                                                           const std::string& tail);
/// False: the id is taken.
[[nodiscard]] bool insert_schedule(Session& session, const core::Schedule& schedule);
/// Every column of the schedule with that id.
void update_schedule(Session& session, const core::Schedule& schedule);

/// Locks it against every other writer until the end of the transaction. `org_id` empty: any.
/// Throws Refusal (not_found).
[[nodiscard]] core::Schedule lock_schedule(Session& session, const std::string& schedule_id, const std::string& org_id);

}  // namespace varde::store
