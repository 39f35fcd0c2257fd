#pragma once
#include "ports/calendar_repository.hpp"
#include "ports/log_sink.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"
#include "schedule/job_kinds.hpp"
#include "time/clock.hpp"

#include <functional>

namespace varde::schedule {

/// Where people's wishes about schedules and runs are checked, decided and stored: HTTP, the command line and api_sync come here. Every
/// change is logged once (`schedule_changed`, `run_requested`, ...), with who made it.
class ScheduleDesk final : public ports::ScheduleControl {
  public:
    /// All outlive the desk.
    struct Ports {
        ports::ScheduleRepository& schedules;
        ports::RunRepository& runs;
        const JobKinds& kinds;
        const time::Clock& clock;
        ports::LogSink& log;
        ports::CalendarRepository* calendars = nullptr;  ///< nullptr: there are none
        core::SchedulePolicy defaults{};                 ///< defaults()
    };
    /// `changed` is called after each change that a dispatcher in this process should look at; may be empty.
    explicit ScheduleDesk(Ports ports, std::function<void()> changed = {}) : ports_{ports}, changed_{std::move(changed)} {}

    [[nodiscard]] core::Result<void> check(const core::Schedule& wanted) const override;
    [[nodiscard]] core::SchedulePolicy defaults() const override { return ports_.defaults; }
    [[nodiscard]] bool reaches_beyond_org(const core::Schedule& schedule) const override;
    [[nodiscard]] core::Result<core::Schedule> create(core::Schedule wanted, const std::string& by) override;
    [[nodiscard]] core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                    const Change& change, const std::string& by) override;
    [[nodiscard]] core::Result<core::Schedule> act(const std::string& schedule_id, const std::string& org_id,
                                                   ports::ScheduleAction action, const std::string& by) override;
    [[nodiscard]] core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool purge, bool force,
                                            const std::string& by) override;
    [[nodiscard]] core::Result<std::pair<core::Run, bool>> run_now(const std::string& schedule_id, const std::string& org_id,
                                                                   const ports::ManualRun& manual) override;
    [[nodiscard]] core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id, const std::string& by) override;
    [[nodiscard]] core::Result<core::Run> retry(std::int64_t run_id, const std::string& org_id, const std::string& by) override;
    [[nodiscard]] core::Result<std::vector<core::PlannedSlot>> preview(const core::Schedule& schedule,
                                                                       std::optional<core::Instant> after,
                                                                       int count) const override;
    [[nodiscard]] core::Result<core::SlotExplanation> explain(const std::string& schedule_id, const std::string& org_id,
                                                              core::Instant at) override;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> job_kinds() const override;

  private:
    [[nodiscard]] core::Result<core::Calendars> calendars_of(const core::Schedule& schedule) const;
    [[nodiscard]] core::Result<void> check_job(const core::Schedule& wanted) const;
    void tell(std::string_view event, std::string_view message, const core::Schedule& schedule, const std::string& by,
              std::string_view what) const;

    Ports ports_;
    std::function<void()> changed_;
};

}  // namespace varde::schedule
