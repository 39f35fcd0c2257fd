#pragma once
#include "ports/rule_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The operator's switches of rules, in the database. The tables exist (migrate()). list() is in the order of rule_id.
class SqlRuleRepository final : public ports::RuleRepository {
  public:
    explicit SqlRuleRepository(Database& database) : database_{database} {}

    core::Result<std::vector<ports::RuleRow>> list() override;
    core::Result<std::optional<ports::RuleRow>> find(std::int64_t id) override;
    /// Reads only, if every row is there already.
    core::Result<void> ensure(const std::vector<std::string>& rule_ids, core::Instant now) override;
    /// Everything but id, rule_id and created_at. Errc::not_found: there is no row of that id.
    core::Result<void> update(const ports::RuleRow& row) override;

  private:
    Database& database_;
};

}  // namespace varde::store
