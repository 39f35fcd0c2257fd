#pragma once
#include "core/calendar.hpp"
#include "core/planned_slot.hpp"
#include "core/run.hpp"
#include "core/schedule.hpp"
#include "ports/run_repository.hpp"

#include <nlohmann/json_fwd.hpp>

/// Schedules and runs as docs/http.md has them: HTTP and the command line answer the same.
namespace varde::api {

/// {id, name, kind, org_id, state, source, version, generation, next_at, last_nominal_at, last_run_id, last_status, last_run_at,
/// created_at, updated_at, definition}; the definition is what POST and PUT take.
[[nodiscard]] nlohmann::ordered_json schedule_json(const core::Schedule& schedule);
/// {id, name, org_id, version, created_at, updated_at, definition}
[[nodiscard]] nlohmann::ordered_json calendar_row_json(const core::Calendar& calendar);
[[nodiscard]] nlohmann::ordered_json run_json(const core::Run& run);
[[nodiscard]] nlohmann::ordered_json planned_slot_json(const core::PlannedSlot& slot);
[[nodiscard]] nlohmann::ordered_json statistics_json(const ports::RunStatistics& statistics);
[[nodiscard]] nlohmann::ordered_json slot_explanation_json(const core::SlotExplanation& explanation);
[[nodiscard]] nlohmann::ordered_json job_host_json(const ports::JobHost& host);

}  // namespace varde::api
