#pragma once
#include "ports/schedule_repository.hpp"
#include "schedule/dispatch_log.hpp"

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace varde::schedule {

/// Hears events for the schedules that listen, from the log in the database (event_decision.hpp). What the intake says of stored events
/// is a hint to listen now; without one the ear listens with each slow turn. Thread-safe but for hear() and learn(): the dispatch thread.
class EventEar {
  public:
    /// Both outlive it.
    EventEar(ports::ScheduleRepository& schedules, const DispatchLog& log) : schedules_{schedules}, log_{log} {}

    /// Events of these categories have been stored. True: somebody listens to one of them.
    bool stored(const std::vector<std::string>& categories);
    /// A schedule was changed here: what is listened to may have changed.
    void schedules_changed();

    /// The rows that events have led to. Where nobody listens it costs nothing. After an error what was not heard is heard the next time.
    struct Heard {
        std::vector<core::Run> rows;
        bool more = false;  ///< there is more to be heard
    };
    [[nodiscard]] core::Result<Heard> hear(core::Instant now, bool slow_turn);
    /// Asks which categories are listened to, if that may have changed, or `anyway`.
    core::Result<void> learn(bool anyway);

  private:
    [[nodiscard]] bool wanted(bool slow_turn);

    ports::ScheduleRepository& schedules_;
    const DispatchLog& log_;
    std::mutex mutex_;  // for what follows
    std::set<std::string, std::less<>> categories_;
    bool stored_ = true;   ///< that somebody may listen to; what was stored before the start, too
    bool changed_ = true;  ///< a schedule, by somebody here
};

}  // namespace varde::schedule
