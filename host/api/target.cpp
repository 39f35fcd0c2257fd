#include "api/target.hpp"

#include <algorithm>

namespace varde::api {
namespace {

[[nodiscard]] int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

[[nodiscard]] bool decode(std::string_view text, bool plus_is_blank, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return false;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return false;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == '\0') return false;
        out += c;
    }
    return true;
}

}  // namespace

bool Target::parse(std::string_view text) {
    path.clear();
    query.clear();
    text = text.substr(0, text.find('#'));
    const auto mark = text.find('?');
    auto raw_path = text.substr(0, mark);
    if (raw_path.empty() || raw_path.front() != '/') return false;
    versioned = raw_path.starts_with("/v1/") || raw_path == "/v1";
    if (versioned) raw_path.remove_prefix(3);
    if (!decode(raw_path, false, path)) return false;
    if (path.empty()) path = "/";
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    if (mark == std::string_view::npos) return true;

    auto rest = text.substr(mark + 1);
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto& [key, value] = query.emplace_back();
        if (!decode(pair.substr(0, equals), true, key)) return false;
        if (equals != std::string_view::npos && !decode(pair.substr(equals + 1), true, value)) return false;
    }
    return true;
}

}  // namespace varde::api
