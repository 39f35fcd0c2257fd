#include "store/rule_states.hpp"

#include "store/conditions.hpp"

#include <optional>
#include <string>

#include <openssl/evp.h>

namespace varde::store {
namespace {

std::string base64(const std::string& bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<std::string> from_base64(const std::string& text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    // EVP_DecodeBlock counts the padding as bytes.
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

}  // namespace

std::vector<core::RuleState> select_rule_states(Session& session) {
    core::RuleState row;
    std::string state;
    soci::statement statement{session.sql};
    for (std::string* column : {&row.rule_id, &row.scope.org_id, &row.scope.home_id, &row.scope.subject_id, &state})
        statement.exchange(soci::into(*column));
    Conditions{}.execute(statement,
                         "SELECT rule_id, org_id, home_id, subject_id, state FROM rule_states"
                         " ORDER BY rule_id, org_id, home_id, subject_id");
    std::vector<core::RuleState> states;
    while (statement.fetch()) {
        auto bytes = from_base64(state);
        // Only a hand in the database makes one that cannot be read. The rule begins anew, as it must be able to.
        if (!bytes) continue;
        row.bytes = std::move(*bytes);
        states.push_back(row);
    }
    return states;
}

void write_rule_state(Session& session, const core::RuleState& state, core::Instant now) {
    const core::Scope& scope = state.scope;
    if (state.bytes.empty()) {
        session.sql << "DELETE FROM rule_states WHERE rule_id = :rule AND org_id = :org AND home_id = :home"
                       " AND subject_id = :subject",
            soci::use(state.rule_id, "rule"), soci::use(scope.org_id, "org"), soci::use(scope.home_id, "home"),
            soci::use(scope.subject_id, "subject");
        return;
    }
    const std::string text = base64(state.bytes);
    const long long changed_at = core::to_us(now);
    session.sql << "INSERT INTO rule_states (rule_id, org_id, home_id, subject_id, state, changed_at)"
                   " VALUES (:rule, :org, :home, :subject, :state, :changed_at)"
                   " ON CONFLICT (rule_id, org_id, home_id, subject_id)"
                   " DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at",
        soci::use(state.rule_id, "rule"), soci::use(scope.org_id, "org"), soci::use(scope.home_id, "home"),
        soci::use(scope.subject_id, "subject"), soci::use(text, "state"), soci::use(changed_at, "changed_at");
}

}  // namespace varde::store
