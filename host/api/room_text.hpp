#pragma once
#include "ports/room_repository.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

/// Rooms and mappings as docs/http.md has them: HTTP and the command line take and answer the same.
namespace varde::api {

[[nodiscard]] nlohmann::ordered_json room_json(const ports::RoomRow& row);
[[nodiscard]] nlohmann::ordered_json room_json(const ports::RoomMappingRow& row);

/// A field that cannot be kept, and why, in words.
struct RoomFault {
    std::string_view field;
    std::string problem;
};
[[nodiscard]] std::optional<RoomFault> fault_of(const ports::RoomRow& row);
[[nodiscard]] std::optional<RoomFault> fault_of(const ports::RoomMappingRow& row);
/// Of the row's key alone: for removing it.
[[nodiscard]] std::optional<RoomFault> fault_of_key(const ports::RoomRow& row);
[[nodiscard]] std::optional<RoomFault> fault_of_key(const ports::RoomMappingRow& row);

}  // namespace varde::api
