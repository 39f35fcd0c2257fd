#pragma once
#include "core/schedule.hpp"

#include <string>
#include <vector>

namespace varde::config {

class JsonSection;

/// Seed 003's form of a trigger, read from a definition: `frequency` (hourly, daily, weekly, monthly, custom), `time_config` with exactly
/// the keys of that frequency, and `timezone` (IANA, default UTC). It becomes a cron trigger:
///
///     hourly   {minute}                        weekly  {day or day_of_week, hour, minute}
///     daily    {hour, minute}                  custom  {cron}
///     monthly  {day, hour, minute}
///
/// A weekday is a name, long or short, in any case, or 0 (MONDAY, as seed 003 counts, and not as cron does) to 6. A day of the month that a
/// month does not have is its last one. What the form says about the job, {domain, domain_config_id, profile_id, scan_type, scan_params},
/// is put into the params under the same names; schedule.params has been read before.
void read_frequency(JsonSection& definition, core::Schedule& schedule, std::vector<std::string>& problems);

}  // namespace varde::config
