#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace varde::api {

/// How many code points the text has; nullopt if it is not UTF-8.
[[nodiscard]] std::optional<std::size_t> utf8_characters(std::string_view text);

/// Appends valid UTF-8 as a JSON string with its quotes.
void append_json(std::string& out, std::string_view text);

/// Appends `"key":`, with a comma before it unless the object has just been opened.
void append_key(std::string& out, std::string_view key);

/// Appends `"key":"text"`, with a comma as append_key().
void append_member(std::string& out, std::string_view key, std::string_view text);

/// The `error` object of a log event (docs/log-events.md). `phase` is left out if empty.
[[nodiscard]] std::string error_json(std::string_view type, std::string_view message, std::string_view reason = {},
                                     std::string_view phase = {});

}  // namespace varde::api
