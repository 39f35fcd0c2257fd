#pragma once
#include "core/error.hpp"
#include "core/incident.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace varde::ports {

/// Keeps incidents and the state of circuit breakers. Thread-safe; blocking. Every error is the database's.
class IncidentRepository {
  public:
    virtual ~IncidentRepository() = default;

    /// Stores a new incident and deletes the oldest beyond `keep`.
    virtual core::Result<void> add(const core::Incident& incident, std::uint32_t keep) = 0;
    /// Counts further failures of a stored incident. An unknown id is no error: it may have been deleted meanwhile.
    virtual core::Result<void> repeat(const std::string& incident_id, core::Instant last_at, std::uint64_t more) = 0;
    /// Names found later for the frames of an incident, same length and order as its evidence's.
    virtual core::Result<void> symbolise(const std::string& incident_id, const std::vector<core::StackFrame>& frames) = 0;

    struct Query {
        std::string rule_id;      ///< empty: every rule
        core::ScopeFilter scope;  ///< what the caller may see
        core::Instant before{};   ///< only older ones (keyset paging); Instant{}: from the newest
        std::string before_id;    ///< with `before`: of the last one seen
        std::uint32_t limit = 100;
    };
    /// Newest first.
    [[nodiscard]] virtual core::Result<std::vector<core::Incident>> list(const Query& query) = 0;
    /// `incident_id` may be cut off, as long as it stays unique (at least 8 characters). nullopt: none or several.
    [[nodiscard]] virtual core::Result<std::optional<core::Incident>> find(const std::string& incident_id) = 0;

    [[nodiscard]] virtual core::Result<std::vector<core::BreakerRecord>> breakers() = 0;
    /// Stores a breaker; one row for each rule id.
    virtual core::Result<void> save(const core::BreakerRecord& breaker) = 0;
    /// Forgets a rule's breaker: `varde rules release`. true: there was one that was not healthy.
    virtual core::Result<bool> release(const std::string& rule_id) = 0;
};

}  // namespace varde::ports
