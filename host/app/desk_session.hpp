#pragma once
#include "app/composition.hpp"
#include "app/modules.hpp"
#include "schedule/calendar_desk.hpp"
#include "schedule/schedule_desk.hpp"

#include <functional>
#include <optional>
#include <string>

namespace varde::app {

/// The schedules of the settings' database and the desks that change them and calendars, for one subcommand. A host that runs on the same
/// database goes by what is changed here from its next look on.
struct DeskSession {
    Storage& storage;
    schedule::ScheduleDesk& desk;
    schedule::CalendarDesk& calendars;
    const time::Clock& clock;  ///< the database's, where it has one
};

/// Opens the database and calls work(); an error on the way is reported. Gives the exit code.
int with_desk(const Globals& globals, const std::function<int(DeskSession&)>& work);

/// ISO 8601, or nullopt if the text is empty. Errc::invalid_argument names the option.
[[nodiscard]] core::Result<std::optional<core::Instant>> instant_option(const char* option, const std::string& text);

}  // namespace varde::app
