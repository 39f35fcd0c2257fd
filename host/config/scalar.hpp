#pragma once
#include "config/document.hpp"

#include <cstdint>
#include <variant>

namespace varde::config {

/// What a scalar means, by one strict reading: YAML 1.2's core schema, where that and YAML 1.1 (which many editors, and the reference,
/// use) agree. Where they do not, the scalar is Ambiguous: `on` and `yes`, 0123, 0x1F, 1_000.
struct Ambiguous {
    std::string advice;  ///< "write \"on\" in quotes for text, or true"
};
using Scalar = std::variant<bool, std::int64_t, double, std::string, Ambiguous>;

/// `value` is of Kind::scalar.
[[nodiscard]] Scalar scalar_of(const Value& value);

/// The value as JSON text, integers, reals, booleans, texts and null kept apart. Problems are added with their path.
[[nodiscard]] std::string to_json(const Value& value, const std::string& path, Problems& problems);

/// Of `known` the one that `wrong` was probably meant to be; empty if none is near.
[[nodiscard]] std::string_view nearest(std::string_view wrong, const std::vector<std::string_view>& known);

}  // namespace varde::config
