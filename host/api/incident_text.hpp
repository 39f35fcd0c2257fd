#pragma once
#include "core/incident.hpp"
#include "core/scope.hpp"

#include <string>
#include <string_view>

/// Incidents and breakers as JSON for clients: HTTP and `varde --json` answer the same.
namespace varde::api {

enum class Detail {
    brief,  ///< what a list shows: which plugin, and what was done
    whole,  ///< everything that is known
};
/// One JSON object. Times are ISO 8601, UTC; what is not known is left out. `scope` is null if the failure is about no home. A worker
/// judges many homes: what it wrote to its log is only for readers who may see all of them.
[[nodiscard]] std::string incident_json(const core::Incident& incident, Detail detail, const core::ScopeFilter& visible = {});

/// {state, since, until, reason, incident_id}; null for a healthy rule. `until` is null while no time is set. The reason as
/// shared_reason(), and no incident, for readers who may not see every home.
[[nodiscard]] std::string breaker_json(const core::BreakerRecord& breaker, const core::ScopeFilter& visible = {});

/// Of "rule_error: no motion in the attic" what a reader may see of it: the whole, or, unless that is every home, "rule_error". A rule
/// fails for all homes together, and its words can quote any of them.
[[nodiscard]] std::string_view shared_reason(std::string_view reason, const core::ScopeFilter& visible);

}  // namespace varde::api
