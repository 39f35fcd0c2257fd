#pragma once
#include <string>
#include <string_view>

namespace varde::ingest {

/// Without the blanks, tabs and line ends at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Unicode code points of valid UTF-8.
[[nodiscard]] std::size_t characters(std::string_view utf8);

/// The id as it is kept: trimmed; a UUID in any spelling (capitals, braces, urn:uuid:, hyphens missing or elsewhere) becomes
/// 8-4-4-4-12 lower case, anything else stays as it is.
[[nodiscard]] std::string canonical_event_id(std::string_view text);

}  // namespace varde::ingest
