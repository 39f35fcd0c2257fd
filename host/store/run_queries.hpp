#pragma once
#include "ports/run_repository.hpp"
#include "store/conditions.hpp"
#include "store/session.hpp"

namespace varde::store {

/// The filters of a query but its times, its place and its limit; the table is `r`.
[[nodiscard]] Conditions conditions_of(const ports::RunQuery& query);

/// The ports::RunRepository functions of these names, each a transaction of the caller's.
[[nodiscard]] ports::RunRepository::Around runs_around(Session& session, const std::string& schedule_id, core::Instant at);
/// Reads more than once: within a transaction that sees one state.
[[nodiscard]] ports::RunStatistics run_statistics(Session& session, const ports::RunQuery& query);

}  // namespace varde::store
