#pragma once
#include "core/event.hpp"
#include "time/zone.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace varde::app {

/// Something that was put into a recording on purpose, so that recall can be counted.
struct PlantedIncident {
    std::string kind;     ///< no_motion | night_door | door_no_motion | absence
    std::string rule_id;  ///< the rule that should speak
    core::Scope scope;
    core::Window window;  ///< when it happens
};

struct GeneratorSettings {
    int homes = 1;
    core::Window range{};
    std::uint64_t seed = 1;
    time::Zone zone;
};

/// Invents the life of people who live alone: rooms with motion and presence, nights with short visits to the bathroom, errands
/// through the front door, and planted incidents. Deterministic: the same settings give the same events on every machine.
/// `emit` gets each home's events in time order, home after home.
void generate_homes(const GeneratorSettings& settings, const std::function<void(const core::Event&)>& emit,
                    const std::function<void(const PlantedIncident&)>& planted);

}  // namespace varde::app
