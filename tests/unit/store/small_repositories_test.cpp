#include "fixture.hpp"
#include "store/rule_repository.hpp"
#include "store/token_repository.hpp"

using namespace varde;
using namespace varde::store::testing;

TEST_CASE_TEMPLATE("missing rules are added once and existing ones stay as they are", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRuleRepository repository{fixture.database()};
    value_of(repository.ensure({"R-002", "R-001", "R-002"}, at_second(1)));
    auto rules = value_of(repository.list());
    REQUIRE(rules.size() == 2);
    CHECK(rules[0].rule_id == "R-001");
    CHECK(rules[0].is_enabled);
    CHECK(rules[0].severity == 2);
    CHECK(rules[0].params == "{}");
    CHECK(rules[0].created_at == at_second(1));
    rules[0].is_enabled = false;
    rules[0].severity = 4;
    rules[0].params = R"({"minutes":5})";
    value_of(repository.update(rules[0]));
    value_of(repository.ensure({"R-001", "R-002", "R-003"}, at_second(2)));
    const auto again = value_of(repository.find(rules[0].id));
    REQUIRE(again.has_value());
    CHECK_FALSE(again->is_enabled);
    CHECK(again->severity == 4);
    CHECK(again->params == R"({"minutes":5})");
    CHECK(again->created_at == at_second(1));
    CHECK(value_of(repository.list()).size() == 3);
}

TEST_CASE_TEMPLATE("an unknown rule row is not found", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRuleRepository repository{fixture.database()};
    CHECK_FALSE(value_of(repository.find(4711)).has_value());
    ports::RuleRow row;
    row.id = 4711;
    CHECK(repository.update(row).error().code == core::Errc::not_found);
}

namespace {

ports::Token token_of(const std::string& name, const std::string& sha256) {
    ports::Token token;
    token.name = name;
    token.sha256 = sha256;
    token.role = ports::Role::operator_;
    token.scope = {"org", "", ""};
    token.created_at = at_second(1);
    return token;
}

}  // namespace

TEST_CASE_TEMPLATE("a token is found by its hash until it is revoked", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlTokenRepository repository{fixture.database()};
    const std::int64_t id = value_of(repository.insert(token_of("kari's phone", "aa11")));
    const auto found = value_of(repository.find_active("aa11"));
    REQUIRE(found.has_value());
    CHECK(found->id == id);
    CHECK(found->name == "kari's phone");
    CHECK(found->role == ports::Role::operator_);
    CHECK(found->scope == core::ScopeFilter{"org", "", ""});
    CHECK(found->created_at == at_second(1));
    CHECK_FALSE(found->revoked_at.has_value());
    CHECK_FALSE(value_of(repository.find_active("bb22")).has_value());

    value_of(repository.revoke(id, at_second(9)));
    CHECK_FALSE(value_of(repository.find_active("aa11")).has_value());
    CHECK(repository.revoke(id, at_second(10)).error().code == core::Errc::not_found);
    CHECK(repository.revoke(4711, at_second(10)).error().code == core::Errc::not_found);
    const auto tokens = value_of(repository.list());
    REQUIRE(tokens.size() == 1);
    CHECK(tokens[0].revoked_at == at_second(9));
}

TEST_CASE_TEMPLATE("two tokens cannot have one secret", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlTokenRepository repository{fixture.database()};
    value_of(repository.insert(token_of("a", "aa11")));
    CHECK(repository.insert(token_of("b", "aa11")).error().code == core::Errc::conflict);
    CHECK(value_of(repository.list()).size() == 1);
}
