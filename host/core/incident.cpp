#include "core/incident.hpp"

#include <array>
#include <utility>

namespace varde::core {
namespace {

constexpr std::array<std::pair<BreakerState, std::string_view>, 5> kNames{{{BreakerState::healthy, "healthy"},
                                                                           {BreakerState::suspect, "suspect"},
                                                                           {BreakerState::backing_off, "backing_off"},
                                                                           {BreakerState::quarantined, "quarantined"},
                                                                           {BreakerState::probing, "probing"}}};

}  // namespace

std::string_view name_of(BreakerState state) {
    for (const auto& [value, name] : kNames)
        if (value == state) return name;
    return "healthy";
}

BreakerState breaker_state_from(std::string_view name) {
    for (const auto& [value, known] : kNames)
        if (known == name) return value;
    return BreakerState::healthy;
}

}  // namespace varde::core
