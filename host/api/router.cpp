#include "api/router.hpp"

#include <charconv>

namespace varde::api {
namespace {

[[nodiscard]] bool fits(std::string_view pattern, std::string_view path, std::int64_t& id) {
    constexpr std::string_view kId = "{id}";
    if (!pattern.ends_with(kId)) return pattern == path;
    pattern.remove_suffix(kId.size());
    if (!path.starts_with(pattern)) return false;
    path.remove_prefix(pattern.size());
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), id);
    return error == std::errc{} && end == path.data() + path.size() && id >= 0;
}

}  // namespace

Router::Match Router::match(Request& request) const {
    Match match;
    for (const auto& route : routes_) {
        if (!fits(route.pattern, request.path, request.id)) continue;
        if (route.method == request.method) return {&route, {}};
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += name_of(route.method);
    }
    return match;
}

}  // namespace varde::api
