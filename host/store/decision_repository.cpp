#include "store/decision_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"
#include "store/decision_rows.hpp"

#include <algorithm>

namespace varde::store {
namespace {

/// `kind` as the partial index has it, so that both planners see that it fits.
std::int64_t delete_oldest(Session& session, const char* kind, core::Instant before, long long limit) {
    const long long at = core::to_us(before);
    const std::string sql = std::string{"DELETE FROM decisions WHERE decision_id IN (SELECT decision_id FROM decisions WHERE "} +
                            kind + " AND first_at < :before ORDER BY first_at LIMIT :most)";
    soci::statement statement = (session.sql.prepare << sql, soci::use(at, "before"), soci::use(limit, "most"));
    statement.execute(true);
    return statement.get_affected_rows();
}

}  // namespace

core::Result<std::vector<core::Decision>> SqlDecisionRepository::list(const ports::DecisionQuery& query) {
    if (query.limit < 1 || query.limit > 1000) {
        return core::fail(core::Errc::invalid_argument, "decisions: limit must be 1 to 1000");
    }
    return database_.impl().run("listing decisions", [&](Session& session) {
        Conditions conditions;
        conditions.admitted_by(query.scope);
        if (query.rule_id) conditions.add("rule_id", "=", *query.rule_id);
        if (query.outcome) conditions.add("outcome", "=", std::string{core::name_of(*query.outcome)});
        if (query.since) conditions.add("last_at", ">=", *query.since);
        if (query.until) conditions.add("first_at", "<", *query.until);
        if (query.before != 0) conditions.add("decision_id", "<", static_cast<long long>(query.before));
        return select_decisions(session, conditions, " ORDER BY decision_id DESC LIMIT " + std::to_string(query.limit));
    });
}

core::Result<std::optional<core::Decision>> SqlDecisionRepository::find(const std::string& rule_id, const core::Scope& scope,
                                                                        core::Instant at) {
    return database_.impl().run("reading a decision", [&](Session& session) -> std::optional<core::Decision> {
        Conditions conditions;
        conditions.add("rule_id", "=", rule_id).equals(scope).add("first_at", "<=", at);
        auto rows = select_decisions(session, conditions, " ORDER BY first_at DESC LIMIT 1");
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<std::vector<core::Decision>> SqlDecisionRepository::newest(core::Instant since) {
    return database_.impl().run("reading the decisions in force", [&](Session& session) {
        Conditions conditions;
        conditions.add("first_at", ">=", since);
        // In this order the last row of a rule and scope is its newest; both engines read it from the unique index.
        auto rows = select_decisions(session, conditions, " ORDER BY rule_id, org_id, home_id, subject_id, first_at");
        std::vector<core::Decision> newest;
        for (auto& row : rows) {
            const bool same = !newest.empty() && newest.back().rule_id == row.rule_id && newest.back().scope == row.scope;
            if (!same) newest.emplace_back();
            newest.back() = std::move(row);
        }
        return newest;
    });
}

core::Result<std::int64_t> SqlDecisionRepository::prune(core::Instant changes_before, core::Instant others_before,
                                                        std::int64_t limit) {
    return database_.impl().write("deleting old decisions", [&](Session& session) {
        return delete_oldest(session, "since = first_at", changes_before, limit) +
               delete_oldest(session, "since <> first_at", others_before, limit);
    });
}

}  // namespace varde::store
