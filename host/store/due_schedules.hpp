#pragma once
#include "ports/schedule_repository.hpp"
#include "store/session.hpp"

#include <functional>
#include <vector>

/// The decisions about slots, within the caller's write transaction. On PostgreSQL a few statements for all of them together; on SQLite
/// prepared statements.
namespace varde::store {

/// ports::ScheduleRepository::fire_due().
[[nodiscard]] ports::FiredSlots fire_due_schedules(Session& session, core::Instant now, int limit,
                                                   const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide);
/// A locked schedule and what was decided about it.
struct DecidedSchedule {
    ports::DueSchedule due;
    ports::DueDecision decision;
};
[[nodiscard]] ports::FiredSlots write_decisions(Session& session, core::Instant now, std::vector<DecidedSchedule> decided);

/// ports::ScheduleRepository::settle_waiting().
[[nodiscard]] int settle_waiting_runs(Session& session, core::Instant now, int limit,
                                      const std::function<ports::WaitingDecision(const ports::WaitingRun&)>& decide);

/// Keeps PostgreSQL from reading whole tables that were empty when it last looked, until the end of the transaction.
void prefer_indexes(Session& session);

}  // namespace varde::store
