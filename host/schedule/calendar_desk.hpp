#pragma once
#include "ports/calendar_control.hpp"
#include "ports/calendar_repository.hpp"
#include "ports/log_sink.hpp"
#include "time/clock.hpp"

#include <functional>

namespace varde::schedule {

/// Where people's wishes about calendars are stored, with the cursors of the schedules that use them. Every change is logged once
/// (`calendar_changed`), with who made it.
class CalendarDesk final : public ports::CalendarControl {
  public:
    /// All outlive the desk. `changed` is called after each change that a dispatcher in this process should look at; may be empty.
    CalendarDesk(ports::CalendarRepository& calendars, const time::Clock& clock, ports::LogSink& log,
                 std::function<void()> changed = {})
        : calendars_{calendars}, clock_{clock}, log_{log}, changed_{std::move(changed)} {}

    [[nodiscard]] core::Result<core::Calendar> put(core::Calendar calendar, std::optional<std::int64_t> only_version,
                                                   const std::string& by) override;
    [[nodiscard]] core::Result<void> remove(const std::string& calendar_id, const std::string& org_id,
                                            std::optional<std::int64_t> only_version, const std::string& by) override;
    [[nodiscard]] core::Result<core::Calendar> find(const std::string& calendar_id, const std::string& org_id) const override;
    [[nodiscard]] core::Result<std::vector<core::Calendar>> list(const std::string& org_id) const override;

  private:
    void tell(const core::Calendar& calendar, const std::string& by, std::string_view what) const;

    ports::CalendarRepository& calendars_;
    const time::Clock& clock_;
    ports::LogSink& log_;
    std::function<void()> changed_;
};

}  // namespace varde::schedule
