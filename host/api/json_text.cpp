#include "api/json_text.hpp"

namespace varde::api {

std::optional<std::size_t> utf8_characters(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        const auto first = byte(0);
        const std::size_t length = first < 0x80                    ? 1
                                   : first >= 0xC2 && first < 0xE0 ? 2
                                   : first >= 0xE0 && first < 0xF0 ? 3
                                   : first >= 0xF0 && first < 0xF5 ? 4
                                                                   : 0;
        if (length == 0 || text.size() < length) return std::nullopt;
        for (std::size_t i = 1; i < length; ++i) {
            if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
        }
        // Spellings that are too long, surrogates, and what lies beyond Unicode.
        if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
            (first == 0xF4 && byte(1) > 0x8F)) {
            return std::nullopt;
        }
        text.remove_prefix(length);
        ++count;
    }
    return count;
}

void append_json(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += '"';
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, done, i - done);
        done = i + 1;
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                out += "\\u00";
                out += kHex[c >> 4U];
                out += kHex[c & 15U];
        }
    }
    out.append(text, done);
    out += '"';
}

void append_key(std::string& out, std::string_view key) {
    if (!out.empty() && out.back() != '{') out += ',';
    append_json(out, key);
    out += ':';
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
    append_key(out, key);
    append_json(out, text);
}

std::string error_json(std::string_view type, std::string_view message, std::string_view reason, std::string_view phase) {
    std::string out = "{";
    append_member(out, "type", type);
    append_member(out, "message", message);
    append_member(out, "reason", reason.empty() ? type : reason);
    if (!phase.empty()) append_member(out, "phase", phase);
    return out + '}';
}

}  // namespace varde::api
