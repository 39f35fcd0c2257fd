#pragma once
#include <nlohmann/json.hpp>

#include <string>

/// What --json prints: one JSON value a line, on standard output.
namespace varde::app {

/// The value on one line, without the line's end. Bytes that are not UTF-8, as in the name of a file, become U+FFFD.
[[nodiscard]] std::string json_line(const nlohmann::ordered_json& value);

/// Prints the value and ends the line.
void print_json(const nlohmann::ordered_json& value);

}  // namespace varde::app
