/// Parameters in minutes.
#pragma once
#include <varde/rule.hpp>

#include <string_view>

namespace varde::home {

/// Bound of parameters in minutes: a hundred years either way, so that no instant overflows.
inline constexpr int64_t kMostMinutes = int64_t{100} * 366 * 24 * 60;

/// Value::get_int, refused beyond kMostMinutes. The reference's parameters can be negative.
[[nodiscard]] inline int64_t get_minutes(const Value& params, std::string_view key, int64_t fallback) {
    return params.get_int(key, fallback, -kMostMinutes, kMostMinutes);
}

/// Value::strict_int, refused below zero and beyond kMostMinutes. For parameters of our own.
[[nodiscard]] inline int64_t strict_minutes(const Value& params, std::string_view key, int64_t fallback) {
    return params.strict_int(key, fallback, 0, kMostMinutes);
}

}  // namespace varde::home
