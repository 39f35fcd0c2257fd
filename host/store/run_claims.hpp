#pragma once
#include "ports/run_repository.hpp"
#include "store/session.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

/// Who carries out which run: the hot statements of ports::RunRepository, within the caller's write transaction.
namespace varde::store {

[[nodiscard]] std::vector<ports::ClaimedRun> claim_runs(Session& session, const ports::ClaimRequest& request);
void give_back_runs(Session& session, const std::string& owner, std::int64_t epoch, std::span<const std::int64_t> run_ids);
[[nodiscard]] ports::Renewal renew_leases(Session& session, const std::string& owner, std::int64_t epoch, core::Instant now,
                                          core::Microseconds lease);
[[nodiscard]] std::vector<core::Run> reap_runs(Session& session, core::Instant now, int limit, bool all,
                                               const std::function<ports::FinishedRun(const ports::ClaimedRun&)>& decide);
[[nodiscard]] std::vector<core::Run> expire_runs(Session& session, core::Instant now, int limit);

}  // namespace varde::store
