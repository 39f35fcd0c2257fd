#include "store/token_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"

#include <fmt/format.h>

namespace varde::store {
namespace {

std::vector<ports::Token> select_tokens(Session& session, const Conditions& conditions, const std::string& tail) {
    long long id = 0, created_at = 0, revoked_at = 0;
    soci::indicator has_revoked_at = soci::i_null;
    std::string role;
    ports::Token row;
    soci::statement statement{session.sql};
    statement.exchange(soci::into(id));
    for (std::string* column : {&row.name, &row.sha256, &role, &row.scope.org_id, &row.scope.home_id, &row.scope.subject_id}) {
        statement.exchange(soci::into(*column));
    }
    statement.exchange(soci::into(created_at));
    statement.exchange(soci::into(revoked_at, has_revoked_at));
    conditions.execute(statement,
                       "SELECT id, name, sha256, role, org_id, home_id, subject_id, created_at, revoked_at FROM api_tokens" +
                           conditions.where() + tail + " ORDER BY id");
    std::vector<ports::Token> found;
    while (statement.fetch()) {
        row.id = id;
        row.role = ports::role_from(role).value_or(ports::Role::viewer);  // the table checks it
        row.created_at = core::instant_from_us(created_at);
        row.revoked_at = has_revoked_at == soci::i_null ? std::nullopt : std::optional{core::instant_from_us(revoked_at)};
        found.push_back(row);
    }
    return found;
}

}  // namespace

core::Result<std::int64_t> SqlTokenRepository::insert(const ports::Token& token) {
    const auto inserted = database_.impl().write("storing a token", [&](Session& session) {
        const std::string role{ports::name_of(token.role)};
        const long long created_at = core::to_us(token.created_at);
        const long long revoked_at = token.revoked_at ? core::to_us(*token.revoked_at) : 0;
        soci::indicator has_revoked_at = token.revoked_at ? soci::i_ok : soci::i_null;
        long long id = 0;
        session.sql
            << "INSERT INTO api_tokens (name, sha256, role, org_id, home_id, subject_id, created_at, revoked_at) VALUES"
               " (:name, :sha256, :role, :org, :home, :subject, :created_at, :revoked_at) ON CONFLICT DO NOTHING RETURNING id",
            soci::use(token.name, "name"), soci::use(token.sha256, "sha256"), soci::use(role, "role"),
            soci::use(token.scope.org_id, "org"), soci::use(token.scope.home_id, "home"),
            soci::use(token.scope.subject_id, "subject"), soci::use(created_at, "created_at"),
            soci::use(revoked_at, has_revoked_at, "revoked_at"), soci::into(id);
        return std::int64_t{id};
    });
    if (inserted && *inserted == 0) return core::fail(core::Errc::conflict, "storing a token: there is one with this secret");
    return inserted;
}

core::Result<std::vector<ports::Token>> SqlTokenRepository::list() {
    return database_.impl().run("listing tokens", [](Session& session) { return select_tokens(session, Conditions{}, ""); });
}

core::Result<std::optional<ports::Token>> SqlTokenRepository::find_active(const std::string& sha256) {
    return database_.impl().run("reading a token", [&](Session& session) -> std::optional<ports::Token> {
        Conditions conditions;
        conditions.add("sha256", "=", sha256);
        std::vector<ports::Token> rows = select_tokens(session, conditions, " AND revoked_at IS NULL");
        if (rows.empty()) return std::nullopt;
        return std::move(rows.front());
    });
}

core::Result<void> SqlTokenRepository::revoke(std::int64_t id, core::Instant now) {
    const auto changed = database_.impl().write("revoking a token", [&](Session& session) {
        const long long row_id = id, revoked_at = core::to_us(now);
        soci::statement statement =
            (session.sql.prepare << "UPDATE api_tokens SET revoked_at = :revoked_at WHERE id = :id AND revoked_at IS NULL",
             soci::use(revoked_at, "revoked_at"), soci::use(row_id, "id"));
        statement.execute(true);
        return statement.get_affected_rows() == 1;
    });
    if (!changed) return tl::unexpected{changed.error()};
    if (!*changed) return core::fail(core::Errc::not_found, fmt::format("there is no unrevoked token {}", id));
    return {};
}

}  // namespace varde::store
