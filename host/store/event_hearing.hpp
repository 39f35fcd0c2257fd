#pragma once
#include "ports/schedule_repository.hpp"
#include "store/session.hpp"

#include <string>
#include <vector>

/// Which schedules listen to which events, and what they have heard. Within the caller's write transaction.
///
/// Events are committed in the order of seq, so one number says what all have heard (table schedule_hearing), and another what a
/// schedule was not there for (schedule_listens.since). A one-off that is due looks at what lies behind both itself: so it does not
/// matter to it whether, when and on which host the others were heard.
namespace varde::store {

/// What the schedule listens to, in place of what it listened to before: events stored from now on. Its row is there already.
void write_listens(Session& session, const core::Schedule& schedule);
void erase_listens(Session& session, const std::vector<std::string>& schedule_ids);
/// These have heard everything up to seq.
void move_listens(Session& session, const std::vector<std::pair<std::string, std::int64_t>>& heard);
[[nodiscard]] std::vector<std::string> listened_categories(Session& session);

/// ports::ScheduleRepository::hear_events().
[[nodiscard]] ports::HeardEvents hear_stored_events(Session& session, core::Instant now, const ports::CalledBy& called,
                                                    const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide);

/// Gives those of the schedules that listen, and are locked, their `events`, which lie in what is returned.
[[nodiscard]] std::vector<core::Event> add_unheard_events(Session& session, std::vector<ports::DueSchedule>& due);

}  // namespace varde::store
