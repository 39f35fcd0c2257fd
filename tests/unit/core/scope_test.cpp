#include "core/scope.hpp"
#include "core/instant.hpp"

#include <doctest/doctest.h>
#include <unordered_set>

using namespace varde::core;

TEST_CASE("a filter admits a scope if every part it names is the same") {
    const Scope scope{"org", "home", "ola"};
    CHECK(ScopeFilter{}.admits(scope));
    CHECK(ScopeFilter{"org", "", ""}.admits(scope));
    CHECK(ScopeFilter{"org", "home", "ola"}.admits(scope));
    CHECK_FALSE(ScopeFilter{"other", "", ""}.admits(scope));
    CHECK_FALSE(ScopeFilter{"org", "other", ""}.admits(scope));
    CHECK_FALSE(ScopeFilter{"org", "home", "kari"}.admits(scope));
    CHECK_FALSE(ScopeFilter{"", "", "kari"}.admits(scope));
    CHECK_FALSE(ScopeFilter{"or", "", ""}.admits(scope));
}

TEST_CASE("scopes order by organisation, home, subject and hash by all three") {
    CHECK(Scope{"a", "z", "z"} < Scope{"b", "a", "a"});
    CHECK(Scope{"a", "a", "z"} < Scope{"a", "b", "a"});
    CHECK(Scope{"a", "a", "a"} < Scope{"a", "a", "b"});
    const std::unordered_set<Scope, ScopeHash> set{{"a", "b", "c"}, {"a", "c", "b"}, {"b", "a", "c"}, {"a", "b", "c"}};
    CHECK(set.size() == 3);
}

TEST_CASE("an instant is microseconds both ways, before 1970 too") {
    CHECK(to_us(instant_from_us(-1)) == -1);
    CHECK(to_us(instant_from_us(1'768'478'400'000'001)) == 1'768'478'400'000'001);
    CHECK(Window{instant_from_us(1), instant_from_us(2)} == Window{instant_from_us(1), instant_from_us(2)});
}
