#pragma once
#include "ports/incident_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// Incidents and breakers in the database. The tables exist (migrate()).
class SqlIncidentRepository final : public ports::IncidentRepository {
  public:
    explicit SqlIncidentRepository(Database& database) : database_{database} {}

    /// Deletes those beyond `keep` that have not happened for the longest time. An incident that is stored already stays as it is.
    core::Result<void> add(const core::Incident& incident, std::uint32_t keep) override;
    core::Result<void> repeat(const std::string& incident_id, core::Instant last_at, std::uint64_t more) override;
    core::Result<void> symbolise(const std::string& incident_id, const std::vector<core::StackFrame>& frames) override;
    core::Result<std::vector<core::Incident>> list(const Query& query) override;
    core::Result<std::optional<core::Incident>> find(const std::string& incident_id) override;

    /// In the order of rule ids, healthy ones too.
    core::Result<std::vector<core::BreakerRecord>> breakers() override;
    core::Result<void> save(const core::BreakerRecord& breaker) override;
    core::Result<bool> release(const std::string& rule_id) override;

  private:
    Database& database_;
};

}  // namespace varde::store
