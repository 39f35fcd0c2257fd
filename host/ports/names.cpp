#include "ports/token_repository.hpp"

namespace varde::ports {

std::string_view name_of(Role role) {
    switch (role) {
        case Role::viewer: return "viewer";
        case Role::operator_: return "operator";
        case Role::admin: return "admin";
    }
    return "viewer";
}

std::optional<Role> role_from(std::string_view name) {
    for (const auto role : {Role::viewer, Role::operator_, Role::admin}) {
        if (name_of(role) == name) return role;
    }
    return std::nullopt;
}

}  // namespace varde::ports
