#pragma once
#include "core/run.hpp"
#include "store/conditions.hpp"
#include "store/row_batch.hpp"
#include "store/session.hpp"

#include <string>
#include <vector>

namespace varde::store {

/// What read_run() reads.
inline constexpr SqlColumns run_columns{
    "run_id, schedule_id, generation, org_id, job_kind, nominal_at, kind, state, reason, detail, nominal_from, slots, more_slots,"
    " attempt, priority, queue, run_at, start_by, owner, epoch, lease_until, cancel_requested, input, idempotency_key,"
    " requested_by, created_at, started_at, finished_at, error, result",
    "ntnttnttttnnnnntnntnnntttnnntt"};

/// The run whose columns begin at `first`.
[[nodiscard]] core::Run read_run(const SqlRow& row, int first = 0);

/// Those under `conditions` (the table is `r`); `tail`: ORDER BY, LIMIT, FOR UPDATE. Throws SqlFailure and soci::soci_error.
[[nodiscard]] std::vector<core::Run> select_runs(Session& session, const Conditions& conditions, const std::string& tail);

/// Those of these ids that there are, oldest first.
[[nodiscard]] std::vector<core::Run> find_runs(Session& session, const std::vector<std::int64_t>& run_ids);

/// Inserts them in their order. Gives those that were inserted, with their ids: a slot, or an idempotency key, that has a row already
/// is left as it is. Terminal rows get their created_at as finished_at if they have none.
[[nodiscard]] std::vector<core::Run> insert_runs(Session& session, std::vector<core::Run> runs);

/// How many runs of a schedule are alive.
struct LiveRuns {
    int live = 0;
    int queued = 0;   ///< of those: not running
    int waiting = 0;  ///< of those: not pending either
};
/// For each id, in its order.
[[nodiscard]] std::vector<LiveRuns> count_live(Session& session, const std::vector<std::string>& schedule_ids);

}  // namespace varde::store
