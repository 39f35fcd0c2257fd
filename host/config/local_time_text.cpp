#include "config/local_time_text.hpp"

#include <algorithm>

namespace varde::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes two digits below `limit` off the front.
bool take_number(std::string_view& text, int limit) {
    if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return false;
    const int number = (text[0] - '0') * 10 + (text[1] - '0');
    text.remove_prefix(2);
    return number < limit;
}

}  // namespace

bool is_local_time(std::string_view text) {
    if (text.starts_with('T')) text.remove_prefix(1);
    const bool colons = text.size() > 2 && text[2] == ':';
    if (!take_number(text, 24)) return false;
    for (int part = 0; part < 2; ++part) {
        if (text.empty()) return true;
        if (colons) {
            if (text.front() != ':') return false;
            text.remove_prefix(1);
        }
        if (!take_number(text, 60)) return false;
    }
    if (text.empty()) return true;
    return (text.front() == '.' || text.front() == ',') && text.size() > 1 && std::ranges::all_of(text.substr(1), is_digit);
}

}  // namespace varde::config
