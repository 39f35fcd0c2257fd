#include "ingest/event_id.hpp"

#include <algorithm>
#include <array>

namespace varde::ingest {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

[[nodiscard]] char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

[[nodiscard]] bool is_hex(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); }

[[nodiscard]] bool remove_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    if (!std::equal(prefix.begin(), prefix.end(), text.begin(), [](char p, char t) { return p == lower(t); })) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// The 32 lower-case digits of a UUID, or false.
[[nodiscard]] bool uuid_digits(std::string_view text, std::array<char, 32>& digits) {
    (void)remove_prefix(text, "urn:");
    (void)remove_prefix(text, "uuid:");
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
    std::size_t count = 0;
    for (const char c : text) {
        if (c == '-') continue;
        if (!is_hex(c) || count == digits.size()) return false;
        digits[count++] = lower(c);
    }
    return count == digits.size();
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string canonical_event_id(std::string_view text) {
    text = trimmed(text);
    std::array<char, 32> digits{};
    if (text.size() < 32 || !uuid_digits(text, digits)) return std::string{text};
    std::string id;
    id.reserve(36);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
        id += digits[i];
    }
    return id;
}

}  // namespace varde::ingest
