#pragma once
#include "core/error.hpp"
#include "core/schedule.hpp"

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

/// Schedules as people write them (docs/schedules.md): over HTTP, on the command line, in files, and in the database.
namespace varde::config {

constexpr std::size_t kMostObjectBytes = 65'536;  ///< of params, and of labels, as JSON text

/// Reads {id, name, owner, labels, kind, params, trigger, policy, enabled}, or the form of seed 003 with `frequency` and `time_config`
/// in place of the trigger (schedule_frequency.hpp). What is not said, or null, keeps its default, in the policy that of
/// `defaults`. Errc::invalid_argument names the
/// places and what is allowed, all at once: "trigger.every: '5x' is no duration such as 30s, 5m, 1h30m or 1d; policy.priority: ...".
/// Unknown keys are errors, with the nearest known one. Whether the job kind exists is for schedule/ to say; that expressions
/// fire and that zones, durations and ranges are well formed is said here.
[[nodiscard]] core::Result<core::Schedule> read_schedule(const nlohmann::json& definition,
                                                         const core::SchedulePolicy& defaults = {});

/// The definition in full: read_schedule() of it gives the same definition.
[[nodiscard]] nlohmann::ordered_json definition_json(const core::Schedule& schedule);

/// Trigger and policy alone, and back: what the database keeps of them.
[[nodiscard]] nlohmann::ordered_json trigger_json(const core::Trigger& trigger);
[[nodiscard]] nlohmann::ordered_json policy_json(const core::SchedulePolicy& policy);
[[nodiscard]] core::Result<core::Trigger> read_trigger(const nlohmann::json& trigger, const std::string& path = "trigger");
[[nodiscard]] core::Result<core::SchedulePolicy> read_policy(const nlohmann::json& policy);

/// Why the expression of a cron trigger cannot be used, in whatever zone; empty: it can.
[[nodiscard]] std::string cron_fault(const core::Trigger& trigger);

/// "90s", "5m", "1h30m", "250ms", "1d": a sum of whole numbers with units ms, s, m, h, d, largest first. Or a number: seconds.
[[nodiscard]] core::Result<core::Microseconds> read_duration(const nlohmann::json& value);
[[nodiscard]] std::string duration_text(core::Microseconds duration);

}  // namespace varde::config
