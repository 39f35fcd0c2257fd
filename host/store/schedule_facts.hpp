#pragma once
#include "ports/schedule_repository.hpp"
#include "store/session.hpp"

#include <string>

namespace varde::store {

/// ScheduleRepository::follow_zones(), within the caller's transaction. Throws SqlFailure.
[[nodiscard]] ports::ScheduleRepository::ZonesFollowed follow_zones(Session& session, const std::string& tzdata,
                                                                    const ports::CalendarRepository::Recompute& recompute);

}  // namespace varde::store
