#pragma once
#include "jobs/http_params.hpp"
#include "ports/job_kind.hpp"
#include "ports/schedule_control.hpp"
#include "ports/schedule_repository.hpp"

namespace varde::jobs {

/// Kind "api_sync": makes and updates schedules from a list that a server has (jobs/sync_items.hpp says what it looks like). Params
/// (docs/job-kinds.md):
///   url, headers, timeout   as for http; timeout 10 s
///   target_kind             the job kind of the schedules; must be given
///   target_params           their params; what an item says is merged over them, or over its key `item_key`
///   item_key                such as "body", so that the kind http can send it; default: none
///   target_policy           their policy
///   timezone                of their times; default UTC
///   missing                 what becomes of a schedule whose item is gone: keep (default), disable, delete
///
/// The schedules have the source "sync:ID", where ID is the schedule that syncs, and belong to its org; those of other sources are never
/// touched. Each is written in a transaction of its own, and only if its definition differs. No answer, a status other than 2xx, no JSON,
/// no list and an empty one change nothing and fail. An item that cannot be used is skipped with a reason.
///
/// The answer counts what was committed: {"created", "updated", "unchanged", "skipped", "removed" (or disabled), "reasons": [{"id",
/// "reason"}]}, at most 100 reasons; also of an attempt that failed half-way.
class ApiSyncJob final : public ports::JobKind {
  public:
    /// Both outlive this. `control` may know this very kind.
    ApiSyncJob(ports::ScheduleControl& control, ports::ScheduleRepository& schedules,
               Environment environment = process_environment());
    [[nodiscard]] std::string_view name() const override { return "api_sync"; }
    [[nodiscard]] std::string_view summary() const override { return "makes and updates schedules from a list on a server"; }
    [[nodiscard]] core::Result<void> check(const std::string& params) const override;
    [[nodiscard]] bool reaches_beyond_org(const std::string&) const override { return true; }
    [[nodiscard]] ports::JobAnswer run(const ports::JobCall& call) override;

  private:
    ports::ScheduleControl& control_;
    ports::ScheduleRepository& schedules_;
    Environment environment_;
};

}  // namespace varde::jobs
