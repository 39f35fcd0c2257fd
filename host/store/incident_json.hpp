#pragma once
#include "core/incident.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The JSON columns of incidents and breakers. Written and read here only: nobody outside of store/ depends on the format, but rows of
/// older versions must go on being readable, so fields are added and never renamed.
namespace varde::store {

/// Everything but reason and phase, which have columns of their own.
[[nodiscard]] std::string failure_json(const core::Failed& failed);
/// What is missing or of another type keeps its default: a damaged row is still an incident.
[[nodiscard]] core::Failed failure_from_json(std::string_view text, std::string_view reason, std::string_view phase);

[[nodiscard]] std::string instants_json(const std::vector<core::Instant>& instants);
[[nodiscard]] std::vector<core::Instant> instants_from_json(std::string_view text);

}  // namespace varde::store
