#pragma once
#include <compare>
#include <functional>
#include <string>

namespace varde::core {

/// Who an event or a deviation is about. Nothing of one scope is ever visible to another. Each part is 1..100 characters.
struct Scope {
    std::string org_id = "default";
    std::string home_id = "default";
    std::string subject_id = "default";
    friend bool operator==(const Scope&, const Scope&) = default;
    friend std::strong_ordering operator<=>(const Scope&, const Scope&) = default;
};

struct ScopeHash {
    std::size_t operator()(const Scope& scope) const noexcept {
        const std::hash<std::string> hash;
        return (hash(scope.org_id) * 31 + hash(scope.home_id)) * 31 + hash(scope.subject_id);
    }
};

/// What a token may see: each part is an exact value, or empty for "all".
struct ScopeFilter {
    std::string org_id;
    std::string home_id;
    std::string subject_id;
    [[nodiscard]] bool admits(const Scope& scope) const {
        return (org_id.empty() || org_id == scope.org_id) && (home_id.empty() || home_id == scope.home_id) &&
               (subject_id.empty() || subject_id == scope.subject_id);
    }
    friend bool operator==(const ScopeFilter&, const ScopeFilter&) = default;
};

}  // namespace varde::core
