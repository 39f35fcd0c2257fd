#include "core/deviation.hpp"

#include <array>

namespace varde::core {
namespace {
constexpr std::array<std::string_view, 3> kNames{"OPEN", "ACK", "CLOSED"};
}

std::string_view name_of(DeviationStatus status) { return kNames.at(static_cast<std::size_t>(status)); }

std::optional<DeviationStatus> deviation_status_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<DeviationStatus>(i);
    }
    return std::nullopt;
}

}  // namespace varde::core
