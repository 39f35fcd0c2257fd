#pragma once
#include "core/schedule.hpp"
#include "ports/schedule_repository.hpp"
#include "store/session.hpp"

#include <span>
#include <string>
#include <vector>

namespace varde::store {

/// Keeps every other change of dependencies out until the end of the transaction: two at once could close a circle that neither sees.
void lock_dependencies(Session& session);

/// Makes the rows of what the schedule depends on. Takes that lock. Throws Refusal: not_found, or conflict "cycle: a -> b -> a".
void write_dependencies(Session& session, const core::Schedule& schedule);
/// Of those that it depends on and those that depend on it.
void erase_dependencies(Session& session, const std::string& schedule_id);

/// In the order of distance, then id.
[[nodiscard]] std::vector<std::string> dependents_of(Session& session, const std::string& schedule_id, bool transitive);

/// For each schedule, in its order; empty for those that depend on nothing.
[[nodiscard]] std::vector<ports::DependencyFacts> dependency_facts(Session& session,
                                                                   const std::vector<const core::Schedule*>& schedules);

}  // namespace varde::store
