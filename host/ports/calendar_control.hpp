#pragma once
#include "core/calendar.hpp"
#include "core/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

/// What people do with calendars, over HTTP and on the command line. Thread-safe; blocking: call on a database thread only.
/// Errors: CalendarRepository's.
class CalendarControl {
  public:
    virtual ~CalendarControl() = default;

    /// Creates or replaces it. The schedules that use it go by it at once: what is to come moves, what is due already stays, and nothing
    /// before now is added.
    [[nodiscard]] virtual core::Result<core::Calendar> put(core::Calendar calendar, std::optional<std::int64_t> only_version,
                                                           const std::string& by) = 0;
    [[nodiscard]] virtual core::Result<void> remove(const std::string& calendar_id, const std::string& org_id,
                                                    std::optional<std::int64_t> only_version, const std::string& by) = 0;
    [[nodiscard]] virtual core::Result<core::Calendar> find(const std::string& calendar_id, const std::string& org_id) const = 0;
    [[nodiscard]] virtual core::Result<std::vector<core::Calendar>> list(const std::string& org_id) const = 0;
};

}  // namespace varde::ports
