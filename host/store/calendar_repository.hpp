#pragma once
#include "ports/calendar_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

class SqlCalendarRepository final : public ports::CalendarRepository {
  public:
    /// `database` outlives it.
    explicit SqlCalendarRepository(Database& database) : database_{database} {}

    [[nodiscard]] core::Result<core::Calendar> put(const core::Calendar& calendar, std::optional<std::int64_t> only_version,
                                                   const Recompute& recompute) override;
    [[nodiscard]] core::Result<void> remove(const std::string& calendar_id, const std::string& org_id,
                                            std::optional<std::int64_t> only_version) override;
    [[nodiscard]] core::Result<core::Calendar> find(const std::string& calendar_id, const std::string& org_id) override;
    [[nodiscard]] core::Result<std::vector<core::Calendar>> list(const std::string& org_id) override;
    [[nodiscard]] core::Result<core::Calendars> of(const core::Schedule& schedule) override;

  private:
    Database& database_;
};

}  // namespace varde::store
