#include "api/router.hpp"

#include <charconv>

namespace varde::api {
namespace {

[[nodiscard]] bool fits_number(std::string_view path, std::int64_t& id) {
    const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), id);
    return error == std::errc{} && end == path.data() + path.size() && id >= 0;
}

[[nodiscard]] bool fits(std::string_view pattern, std::string_view path, Request& request) {
    const auto open = pattern.find('{');
    if (open == std::string_view::npos) return pattern == path;
    const auto close = pattern.find('}', open);
    const auto head = pattern.substr(0, open), tail = pattern.substr(close + 1);
    if (!path.starts_with(head) || path.size() <= head.size() + tail.size() || !path.ends_with(tail)) return false;
    const auto middle = path.substr(head.size(), path.size() - head.size() - tail.size());
    if (pattern.substr(open, close - open + 1) == "{id}") return fits_number(middle, request.id);
    if (middle.find('/') != std::string_view::npos) return false;
    request.name = middle;
    return true;
}

}  // namespace

Router::Match Router::match(Request& request) const {
    Match match;
    for (const auto& route : routes_) {
        if (!fits(route.pattern, request.path, request)) continue;
        if (route.method == request.method) return {&route, {}};
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += name_of(route.method);
    }
    return match;
}

}  // namespace varde::api
