#include "ports/token_repository.hpp"

#include <doctest/doctest.h>

using namespace varde::ports;

TEST_CASE("roles have their names both ways, and each may do more than the one before") {
    CHECK(name_of(Role::viewer) == "viewer");
    CHECK(name_of(Role::operator_) == "operator");
    CHECK(name_of(Role::admin) == "admin");
    for (const auto role : {Role::viewer, Role::operator_, Role::admin}) CHECK(role_from(name_of(role)) == role);
    CHECK_FALSE(role_from("Admin").has_value());
    CHECK(Role::viewer < Role::operator_);
    CHECK(Role::operator_ < Role::admin);
}
