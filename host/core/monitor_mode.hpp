#pragma once
#include <optional>
#include <string_view>

namespace varde::core {

/// What becomes of what a rule finds about one scope. It is asked in every mode.
enum class MonitorMode {
    on,    ///< kept
    test,  ///< kept, and marked in the evidence: `_monitor_mode: "TEST"`
    off,   ///< dropped
};
[[nodiscard]] std::string_view name_of(MonitorMode mode);  ///< "ON", "TEST", "OFF"
[[nodiscard]] std::optional<MonitorMode> monitor_mode_from(std::string_view name);

}  // namespace varde::core
