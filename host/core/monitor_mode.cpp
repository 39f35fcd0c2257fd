#include "core/monitor_mode.hpp"

#include <array>

namespace varde::core {
namespace {
constexpr std::array<std::string_view, 3> kNames{"ON", "TEST", "OFF"};
}

std::string_view name_of(MonitorMode mode) { return kNames.at(static_cast<std::size_t>(mode)); }

std::optional<MonitorMode> monitor_mode_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<MonitorMode>(i);
    }
    return std::nullopt;
}

}  // namespace varde::core
