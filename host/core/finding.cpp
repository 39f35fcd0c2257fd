#include "core/finding.hpp"

#include <array>

namespace varde::core {
namespace {
constexpr std::array<std::string_view, 4> kNames{"LOW", "MEDIUM", "HIGH", "CRITICAL"};
}

std::string_view name_of(Severity severity) { return kNames.at(static_cast<std::size_t>(severity) - 1); }

std::optional<Severity> severity_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Severity>(i + 1);
    }
    return std::nullopt;
}

}  // namespace varde::core
