#pragma once
#include "core/trigger.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

/// The parts of a trigger's definition that are about events.
namespace varde::config {

class JsonSection;

/// The keys "event" and "where" of `section`, whose place is `path`.
void read_event_match(JsonSection& section, const std::string& path, core::EventMatch& out, std::vector<std::string>& problems);
/// The keys "cancel_on" and "move_on".
void read_listens(JsonSection& section, const std::string& path, core::Trigger& out, std::vector<std::string>& problems);

/// {"event": ..., "where": {...}}; "where" only if it says something.
[[nodiscard]] nlohmann::ordered_json event_match_json(const core::EventMatch& match);
/// Adds "cancel_on" and "move_on", if there are any.
void put_listens(nlohmann::ordered_json& out, const core::Trigger& trigger);

}  // namespace varde::config
