#pragma once
#include "ports/schedule_repository.hpp"

#include <map>
#include <string>

namespace varde::jobs {

/// The schedules of a source, by id; of an organisation, or all (empty). Errors: the repository's.
[[nodiscard]] core::Result<std::map<std::string, core::Schedule>> stored_schedules(ports::ScheduleRepository& repository,
                                                                                   const std::string& org_id,
                                                                                   const std::string& source);

}  // namespace varde::jobs
