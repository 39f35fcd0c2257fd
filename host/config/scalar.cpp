#include "config/scalar.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

constexpr int kMaxParamsDepth = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

/// [-+]?[0-9]+ after the sign was taken off.
bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

/// True for what looks like a number to a YAML 1.1 reader only: 0x1F, 0o17, 0b1, 1_000.
bool is_other_base(std::string_view digits) {
    if (digits.size() > 2 && digits[0] == '0' && is_one_of(digits.substr(1, 1), {"x", "o", "b"})) {
        return std::ranges::all_of(digits.substr(2),
                                   [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) || c == '_'; });
    }
    return is_digit(digits.front()) && digits.find('_') != std::string_view::npos &&
           std::ranges::all_of(digits, [](char c) { return is_digit(c) || c == '_'; });
}

/// ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_real(std::string_view text) {
    const auto exponent = text.find_first_of("eE");
    auto mantissa = text.substr(0, exponent);
    if (exponent != std::string_view::npos) {
        auto digits = text.substr(exponent + 1);
        if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
        if (!all_digits(digits)) return false;
    }
    const auto point = mantissa.find('.');
    if (point == std::string_view::npos) return all_digits(mantissa);
    const auto whole = mantissa.substr(0, point);
    const auto fraction = mantissa.substr(point + 1);
    return (all_digits(whole) || (whole.empty() && !fraction.empty())) && (fraction.empty() || all_digits(fraction));
}

Scalar number_of(std::string_view text) {
    const bool negative = text.front() == '-';
    auto digits = text;
    if (negative || text.front() == '+') digits.remove_prefix(1);
    if (digits.empty()) return std::string{text};
    if (is_one_of(digits, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})) return Ambiguous{"it is not a finite number"};
    if (is_other_base(digits)) return Ambiguous{"write the number in plain decimal digits, or in quotes for text"};
    if (all_digits(digits)) {
        if (digits.size() > 1 && digits.front() == '0') {
            return Ambiguous{"leading zeros mean octal to some readers; leave them out, or write it in quotes for text"};
        }
        std::int64_t value = 0;
        const auto first = negative ? text.data() : digits.data();
        const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
        if (error != std::errc{}) return Ambiguous{"it does not fit 64 bits"};
        return value;
    }
    if (!is_real(digits)) return std::string{text};
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || !std::isfinite(value)) return Ambiguous{"it does not fit a 64-bit real"};
    return negative ? -value : value;
}

nlohmann::json json_of(const Value& value, const std::string& path, int depth, Problems& problems) {
    if (depth > kMaxParamsDepth) {
        problems.add(value.at, path, fmt::format("is nested deeper than {} levels", kMaxParamsDepth));
        return nullptr;
    }
    switch (value.kind) {
        case Value::Kind::null: return nullptr;
        case Value::Kind::list: {
            auto list = nlohmann::json::array();
            for (const auto& item : value.items)
                list.push_back(json_of(item, fmt::format("{}[{}]", path, list.size()), depth + 1, problems));
            return list;
        }
        case Value::Kind::map: {
            auto object = nlohmann::json::object();
            for (const auto& member : value.members) {
                object[member.key] = json_of(member.value, fmt::format("{}.{}", path, member.key), depth + 1, problems);
            }
            return object;
        }
        case Value::Kind::scalar: break;
    }
    return std::visit(
        [&](auto&& scalar) -> nlohmann::json {
            if constexpr (std::is_same_v<std::decay_t<decltype(scalar)>, Ambiguous>) {
                problems.add(value.at, path, fmt::format("{} is ambiguous: {}", value.text, scalar.advice));
                return nullptr;
            } else {
                return scalar;
            }
        },
        scalar_of(value));
}

/// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto substituted = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

Scalar scalar_of(const Value& value) {
    const std::string_view text = value.text;
    if (value.quoted || text.empty()) return value.text;
    if (is_one_of(text, {"true", "True", "TRUE"})) return true;
    if (is_one_of(text, {"false", "False", "FALSE"})) return false;
    if (is_one_of(text, {"yes", "Yes", "YES", "on", "On", "ON"})) {
        return Ambiguous{fmt::format("write \"{}\" in quotes for text, or true", text)};
    }
    if (is_one_of(text, {"no", "No", "NO", "off", "Off", "OFF"})) {
        return Ambiguous{fmt::format("write \"{}\" in quotes for text, or false", text)};
    }
    if (is_digit(text.front()) || is_one_of(text.substr(0, 1), {"-", "+", "."})) return number_of(text);
    return value.text;
}

std::string to_json(const Value& value, const std::string& path, Problems& problems) {
    return json_of(value, path, 0, problems).dump();
}

std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
    for (const auto candidate : known) {
        // A key without its unit ("timeout" for "timeout_ms") is nearer than its distance says.
        const bool prefix = wrong.size() >= 4 && (candidate.starts_with(wrong) || wrong.starts_with(candidate));
        const auto d = prefix ? 1 : distance(wrong, candidate);
        if (d < best_distance) best = candidate, best_distance = d;
    }
    return best;
}

}  // namespace varde::config
