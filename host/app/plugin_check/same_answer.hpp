#pragma once
#include <map>
#include <string>

namespace varde::app::plugin_check {

/// Where two texts part, with what stands there: "'...met...' became '...not_met...'".
[[nodiscard]] std::string first_difference(const std::string& one, const std::string& other);

/// True if two answers (text_of) are equal once every list of texts in them is sorted.
[[nodiscard]] bool same_but_for_order(const std::string& one, const std::string& other);

/// The answer with event ids put back: key -> value.
[[nodiscard]] std::string with_ids(const std::string& text, const std::map<std::string, std::string>& original);

}  // namespace varde::app::plugin_check
