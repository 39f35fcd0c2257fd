#pragma once
#include "ports/schedule_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

class SqlScheduleRepository final : public ports::ScheduleRepository {
  public:
    /// `database` outlives it.
    explicit SqlScheduleRepository(Database& database) : database_{database} {}

    [[nodiscard]] core::Result<core::Schedule> create(const core::Schedule& schedule) override;
    [[nodiscard]] core::Result<core::Schedule> edit(const std::string& schedule_id, const std::string& org_id,
                                                    const Edit& edit) override;
    [[nodiscard]] core::Result<void> remove(const std::string& schedule_id, const std::string& org_id, bool purge, bool force,
                                            core::Instant now) override;
    [[nodiscard]] core::Result<core::Schedule> find(const std::string& schedule_id, const std::string& org_id) override;
    [[nodiscard]] core::Result<std::vector<core::Schedule>> list(const ports::ScheduleQuery& query) override;
    [[nodiscard]] core::Result<std::int64_t> count(const ports::ScheduleQuery& query) override;
    [[nodiscard]] core::Result<std::vector<std::string>> dependents(const std::string& schedule_id, bool transitive) override;

    [[nodiscard]] core::Result<ZonesFollowed> follow_zones(const std::string& tzdata,
                                                           const ports::CalendarRepository::Recompute& recompute) override;
    [[nodiscard]] core::Result<ports::FiredSlots> fire_due(
        core::Instant now, int limit, const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) override;
    [[nodiscard]] core::Result<std::optional<core::Instant>> next_due() override;
    core::Result<ports::HeardEvents> hear_events(
        core::Instant now, const ports::CalledBy& called,
        const std::function<ports::DueDecision(const ports::DueSchedule&)>& decide) override;
    [[nodiscard]] core::Result<std::vector<std::string>> event_categories() override;
    core::Result<int> settle_waiting(core::Instant now, int limit,
                                     const std::function<ports::WaitingDecision(const ports::WaitingRun&)>& decide) override;

  private:
    Database& database_;
};

}  // namespace varde::store
