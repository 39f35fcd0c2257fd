#pragma once
#include "core/incident.hpp"

#include <string>

/// Incidents and breakers as JSON for clients: HTTP and `varde --json` answer the same.
namespace varde::api {

enum class Detail {
    brief,  ///< what a list shows: which plugin, and what was done
    whole,  ///< everything that is known
};
/// One JSON object. Times are ISO 8601, UTC; what is not known is left out. `scope` is null if the failure is about no home.
[[nodiscard]] std::string incident_json(const core::Incident& incident, Detail detail);

/// {state, since, until, reason, incident_id}; null for a healthy rule. `until` is null while no time is set.
[[nodiscard]] std::string breaker_json(const core::BreakerRecord& breaker);

}  // namespace varde::api
