#include "store/rule_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"

#include <set>

#include <fmt/format.h>

namespace varde::store {
namespace {

std::vector<ports::RuleRow> select_rules(Session& session, const Conditions& conditions) {
    long long id = 0, created_at = 0;
    int is_enabled = 0;
    ports::RuleRow row;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(id));
    statement.exchange(soci::into(row.rule_id));
    statement.exchange(soci::into(is_enabled));
    statement.exchange(soci::into(row.severity));
    statement.exchange(soci::into(row.params));
    statement.exchange(soci::into(created_at));
    conditions.execute(statement, "SELECT id, rule_id, is_enabled, severity, params, created_at FROM rules" + conditions.where() +
                                      " ORDER BY rule_id");
    std::vector<ports::RuleRow> found;
    while (statement.fetch()) {
        row.id = id;
        row.is_enabled = is_enabled != 0;
        row.created_at = core::instant_from_us(created_at);
        found.push_back(row);
    }
    return found;
}

std::vector<std::string> missing_in(Session& session, const std::vector<std::string>& rule_ids) {
    std::set<std::string> missing{rule_ids.begin(), rule_ids.end()};
    for (const ports::RuleRow& row : select_rules(session, Conditions{})) missing.erase(row.rule_id);
    return {missing.begin(), missing.end()};
}

}  // namespace

core::Result<std::vector<ports::RuleRow>> SqlRuleRepository::list() {
    return database_.impl().run("listing rules", [](Session& session) { return select_rules(session, Conditions{}); });
}

core::Result<std::optional<ports::RuleRow>> SqlRuleRepository::find(std::int64_t id) {
    return database_.impl().run("reading a rule", [&](Session& session) -> std::optional<ports::RuleRow> {
        Conditions conditions;
        conditions.add("id", "=", static_cast<long long>(id));
        std::vector<ports::RuleRow> rows = select_rules(session, conditions);
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<void> SqlRuleRepository::ensure(const std::vector<std::string>& rule_ids, core::Instant now) {
    auto& database = database_.impl();
    return database.run("adding rules", [&](Session& session) {
        const std::vector<std::string> missing = missing_in(session, rule_ids);
        if (missing.empty()) return;
        const long long created_at = core::to_us(now);
        WriteTransaction transaction{database, session};
        for (const std::string& rule_id : missing) {
            session.sql << "INSERT INTO rules (rule_id, created_at) VALUES (:rule_id, :created_at) ON CONFLICT DO NOTHING",
                soci::use(rule_id, "rule_id"), soci::use(created_at, "created_at");
        }
        transaction.commit();
    });
}

core::Result<void> SqlRuleRepository::update(const ports::RuleRow& row) {
    const auto changed = database_.impl().write("changing a rule", [&](Session& session) {
        const long long id = row.id;
        const int is_enabled = row.is_enabled ? 1 : 0;
        soci::statement statement =
            (session.sql.prepare
                 << "UPDATE rules SET is_enabled = :is_enabled, severity = :severity, params = :params WHERE id = :id",
             soci::use(is_enabled, "is_enabled"), soci::use(row.severity, "severity"), soci::use(row.params, "params"),
             soci::use(id, "id"));
        statement.execute(true);
        return statement.get_affected_rows() == 1;
    });
    if (!changed) return tl::unexpected{changed.error()};
    if (!*changed) return core::fail(core::Errc::not_found, fmt::format("there is no rule row {}", row.id));
    return {};
}

}  // namespace varde::store
