#pragma once
#include "ports/run_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

class SqlRunRepository final : public ports::RunRepository {
  public:
    /// `database` outlives it.
    explicit SqlRunRepository(Database& database) : database_{database} {}

    [[nodiscard]] core::Result<std::optional<core::Instant>> database_now() override;
    [[nodiscard]] core::Result<ports::JobHost> register_host(const std::string& host_id, const std::string& name,
                                                             core::Instant now) override;
    core::Result<void> forget_host(const std::string& host_id) override;
    [[nodiscard]] core::Result<std::vector<ports::JobHost>> hosts() override;

    [[nodiscard]] core::Result<std::vector<ports::ClaimedRun>> claim(const ports::ClaimRequest& request) override;
    [[nodiscard]] core::Result<std::optional<core::Instant>> next_pending() override;
    [[nodiscard]] core::Result<std::int64_t> count_pending() override;
    [[nodiscard]] core::Result<std::vector<std::int64_t>> finish(const std::string& owner, std::int64_t epoch,
                                                                 std::span<const ports::FinishedRun> runs) override;
    core::Result<void> give_back(const std::string& owner, std::int64_t epoch, std::span<const std::int64_t> run_ids) override;
    [[nodiscard]] core::Result<ports::Renewal> renew(const std::string& owner, std::int64_t epoch, core::Instant now,
                                                     core::Microseconds lease) override;
    core::Result<std::vector<core::Run>> reap(core::Instant now, int limit, bool all,
                                              const std::function<ports::FinishedRun(const ports::ClaimedRun&)>& decide) override;
    core::Result<std::vector<core::Run>> expire(core::Instant now, int limit) override;

    [[nodiscard]] core::Result<Added> add(const std::string& schedule_id, const std::string& org_id,
                                          const std::string& idempotency_key, const Allow& allow) override;
    [[nodiscard]] core::Result<core::Run> cancel(std::int64_t run_id, const std::string& org_id, const std::string& by,
                                                 core::Instant now) override;

    [[nodiscard]] core::Result<core::Run> find(std::int64_t run_id, const std::string& org_id) override;
    [[nodiscard]] core::Result<std::vector<core::Run>> list(const ports::RunQuery& query) override;
    [[nodiscard]] core::Result<Around> around(const std::string& schedule_id, core::Instant at) override;
    [[nodiscard]] core::Result<ports::RunStatistics> statistics(const ports::RunQuery& query) override;
    core::Result<std::int64_t> cleanup(core::Instant before, const std::string& org_id, std::int64_t limit) override;

  private:
    Database& database_;
};

}  // namespace varde::store
