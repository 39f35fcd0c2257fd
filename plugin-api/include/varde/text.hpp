/// Texts as the rules of the reference see them: Python's str(), int(), strip() and time.fromisoformat().
/// The rules were first written in Python and are compared with it value by value, so `1` and `1.0` are different texts here.
#pragma once
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace varde {

/// Length in bytes of the blank that starts `text` (Python's str.isspace()), 0 if it does not start with one.
inline std::size_t blank_at(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned a = byte(0);
    if (a == ' ' || (a >= 0x09 && a <= 0x0d) || (a >= 0x1c && a <= 0x1f)) return 1;
    if (a == 0xc2) return byte(1) == 0x85 || byte(1) == 0xa0 ? 2 : 0;
    if (a == 0xe1) return byte(1) == 0x9a && byte(2) == 0x80 ? 3 : 0;
    if (a == 0xe3) return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
    if (a != 0xe2) return 0;
    if (byte(1) == 0x81) return byte(2) == 0x9f ? 3 : 0;
    const unsigned c = byte(2);
    return byte(1) == 0x80 && ((c >= 0x80 && c <= 0x8a) || c == 0xa8 || c == 0xa9 || c == 0xaf) ? 3 : 0;
}

/// Python's str.strip(): without blanks at both ends.
inline std::string_view trim(std::string_view text) {
    while (const std::size_t n = blank_at(text)) text.remove_prefix(n);
    for (bool again = true; again;) {
        again = false;
        for (std::size_t n = 1; n <= 3 && n <= text.size() && !again; ++n) {
            if (blank_at(text.substr(text.size() - n)) != n) continue;
            text.remove_suffix(n);
            again = true;
        }
    }
    return text;
}

/// Python's repr(float): shortest digits that read back equal, `1.0`, `7.5`, `1e+22`, `1e-05`.
inline std::string repr(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char buffer[400];
    const auto write = [&](std::chars_format format) {
        return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
    };
    std::string text = write(std::chars_format::scientific);  // has at least two digits of exponent, as Python writes it
    const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
    if (exponent < -4 || exponent >= 16) return text;
    text = write(std::chars_format::fixed);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

/// Python's int(text): blanks around, a sign, digits with single underscores between. Saturates at the ends of int64.
inline std::optional<std::int64_t> read_int(std::string_view text) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    text = trim(text);
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (text.empty() || text.front() == '_' || text.back() == '_') return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '_' && text[i - 1] != '_') continue;
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        const int digit = text[i] - '0';
        value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
    }
    return negative ? -value : value;
}

/// int(real): without its fraction, saturating.
inline std::int64_t truncate(double value) {
    if (value >= 9223372036854775807.0) return std::numeric_limits<std::int64_t>::max();
    if (value <= -9223372036854775808.0) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(value);
}

/// Python's time.fromisoformat() without a zone: HH, HH:MM, HH:MM:SS, HH:MM:SS.ffffff, HHMM, HHMMSS. Microseconds since midnight.
inline std::optional<std::chrono::microseconds> read_local_time(std::string_view text) {
    if (!text.empty() && text.front() == 'T') text.remove_prefix(1);
    const auto two = [&](int below) -> int {  // -1: not two digits, or too large
        if (text.size() < 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return -1;
        const int number = (text[0] - '0') * 10 + (text[1] - '0');
        text.remove_prefix(2);
        return number < below ? number : -1;
    };
    std::int64_t seconds = 0;
    const bool colons = text.size() > 2 && text[2] == ':';
    for (int part = 0; part < 3; ++part) {
        if (part > 0) {
            if (text.empty()) return std::chrono::seconds(seconds);
            if (colons) {
                if (text.front() != ':') return std::nullopt;
                text.remove_prefix(1);
            }
        }
        const int number = two(part == 0 ? 24 : 60);
        if (number < 0) return std::nullopt;
        seconds += number * (part == 0 ? 3600 : part == 1 ? 60 : 1);
    }
    if (text.empty()) return std::chrono::seconds(seconds);
    if ((text.front() != '.' && text.front() != ',') || text.size() < 2) return std::nullopt;
    std::int64_t micros = 0;
    std::int64_t unit = 100000;  // digits after the sixth are dropped
    for (const char c : text.substr(1)) {
        if (c < '0' || c > '9') return std::nullopt;
        micros += unit * (c - '0');
        unit /= 10;
    }
    return std::chrono::seconds(seconds) + std::chrono::microseconds(micros);
}

/// ASCII letters in lower case; other bytes stay.
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
inline std::string lower(std::string text) {
    for (char& c : text) c = lower(c);
    return text;
}

/// Python's repr(text): in single quotes, or in double ones if it holds a single one only.
inline std::string quote(std::string_view text) {
    const bool single_inside = text.find('\'') != std::string_view::npos;
    const char mark = single_inside && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, mark);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == mark || c == '\\')
            out += '\\', out += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\t')
            out += "\\t";
        else if (byte < 0x20 || byte == 0x7f)
            out += "\\x", out += "0123456789abcdef"[byte >> 4], out += "0123456789abcdef"[byte & 15];
        else
            out += c;
    }
    return out + mark;
}

namespace detail {

inline void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80)
        out += static_cast<char>(code);
    else if (code < 0x800)
        out += static_cast<char>(0xc0 | code >> 6), out += static_cast<char>(0x80 | (code & 63));
    else {
        if (code < 0x10000)
            out += static_cast<char>(0xe0 | code >> 12);
        else
            out += static_cast<char>(0xf0 | code >> 18), out += static_cast<char>(0x80 | (code >> 12 & 63));
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
    }
}

inline unsigned hex4(std::string_view text) {
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + (text.size() < 4 ? text.size() : 4), value, 16);
    return value;
}

/// Text of the JSON string that starts at json[at] (a quote); `at` moves behind it.
inline std::string json_string(std::string_view json, std::size_t& at) {
    std::string out;
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] != '\\' || at + 1 >= json.size()) {
            out += json[at];
            continue;
        }
        const char c = json[++at];
        if (c != 'u') {
            constexpr std::string_view kFrom = "nrtbf", kTo = "\n\r\t\b\f";
            const auto found = kFrom.find(c);
            out += found == std::string_view::npos ? c : kTo[found];
            continue;
        }
        unsigned code = hex4(json.substr(at + 1));
        at += 4;
        if (code >= 0xd800 && code < 0xdc00 && json.substr(at + 1, 2) == "\\u") {
            code = 0x10000 + ((code - 0xd800) << 10) + (hex4(json.substr(at + 3)) - 0xdc00);
            at += 6;
        }
        append_utf8(out, code);
    }
    ++at;
    return out;
}

}  // namespace detail

/// Python's str() of a list or an object that is given as JSON text: ["a", 1.0, true] is `['a', 1.0, True]`.
inline std::string json_to_python(std::string_view json) {
    std::string out;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '"') {
            out += quote(detail::json_string(json, at));
        } else if (c == ',' || c == ':') {
            out += c;
            out += ' ';
            ++at;
        } else if (blank_at(json.substr(at)) || c == '[' || c == ']' || c == '{' || c == '}') {
            if (c == '[' || c == ']' || c == '{' || c == '}') out += c;
            ++at;
        } else {
            const auto end = json.find_first_of(",:]} \t\r\n", at);
            const auto word = json.substr(at, end == std::string_view::npos ? end : end - at);
            at += word.size();
            double real = 0;
            if (word == "true")
                out += "True";
            else if (word == "false")
                out += "False";
            else if (word == "null")
                out += "None";
            else if (word.find_first_of(".eE") == std::string_view::npos)
                out += word;
            else
                out += (std::from_chars(word.data(), word.data() + word.size(), real), repr(real));
        }
    }
    return out;
}

}  // namespace varde
