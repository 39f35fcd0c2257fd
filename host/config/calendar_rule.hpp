#pragma once
#include "core/schedule.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

/// `policy.calendars` of a schedule (docs/schedules.md).
namespace varde::config {

class JsonSection;

/// Reads {"include": [..], "exclude": [..], "roll": "skip"} under `calendars` of the policy.
[[nodiscard]] core::CalendarRule read_calendar_rule(JsonSection& policy, std::vector<std::string>& problems);
/// Why the rule cannot be used with that trigger; empty: it can.
[[nodiscard]] std::string calendar_rule_fault(const core::CalendarRule& rule, const core::Trigger& trigger);
/// Adds `calendars` to the policy, unless the rule names none.
void put_calendar_rule(nlohmann::ordered_json& policy, const core::CalendarRule& rule);

}  // namespace varde::config
