#include "api/message.hpp"

#include <algorithm>

namespace varde::api {

std::string_view name_of(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::post: return "POST";
        case Method::patch: return "PATCH";
        case Method::put: return "PUT";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::other: break;
    }
    return "other";
}

const std::string* Request::find(std::string_view key) const {
    const auto found = std::ranges::find(query, key, [](const auto& pair) { return std::string_view{pair.first}; });
    return found == query.end() ? nullptr : &found->second;
}

}  // namespace varde::api
