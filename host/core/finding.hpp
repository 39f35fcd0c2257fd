#pragma once
#include "core/instant.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace varde::core {

enum class Severity { low = 1, medium = 2, high = 3, critical = 4 };
[[nodiscard]] std::string_view name_of(Severity severity);  ///< "LOW" .. "CRITICAL"
[[nodiscard]] std::optional<Severity> severity_from(std::string_view name);

/// What a rule found in one evaluation. Checked: texts are UTF-8 within their limits, evidence refers to real events.
struct Finding {
    Severity severity = Severity::medium;
    std::string title;
    std::string explanation;
    /// A JSON object as text. Event references are event ids; `event_ids` is the list users see.
    std::string evidence = "{}";
    Window window{};
    Instant timestamp{};
};

}  // namespace varde::core
