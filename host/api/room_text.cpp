#include "api/room_text.hpp"

#include "api/json_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

constexpr std::size_t kNameCharacters = 100;
constexpr std::size_t kEntityCharacters = 200;

/// Payloads are compared without the blanks at their ends: a name that has some would never be found.
std::optional<RoomFault> fault_in(std::string_view field, const std::string& text, std::size_t most) {
    const auto characters = utf8_characters(text);
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    const bool good = characters && *characters >= 1 && *characters <= most && text.front() != ' ' && text.back() != ' ' &&
                      std::ranges::none_of(text, control);
    if (good) return std::nullopt;
    return RoomFault{field, fmt::format("{} must be a text of 1 to {} characters, without control characters, and without "
                                        "blanks at its ends",
                                        field, most)};
}

}  // namespace

nlohmann::ordered_json room_json(const ports::RoomRow& row) {
    return {{"org_id", row.org_id}, {"home_id", row.home_id}, {"room_id", row.room_id}, {"display_name", row.display_name}};
}

nlohmann::ordered_json room_json(const ports::RoomMappingRow& row) {
    return {{"org_id", row.org_id},
            {"home_id", row.home_id},
            {"entity_id", row.entity_id},
            {"room_id", row.room_id},
            {"active", row.active}};
}

std::optional<RoomFault> fault_of_key(const ports::RoomRow& row) { return fault_in("room_id", row.room_id, kNameCharacters); }

std::optional<RoomFault> fault_of_key(const ports::RoomMappingRow& row) {
    return fault_in("entity_id", row.entity_id, kEntityCharacters);
}

std::optional<RoomFault> fault_of(const ports::RoomRow& row) {
    auto fault = fault_of_key(row);
    return fault ? fault : fault_in("display_name", row.display_name, kNameCharacters);
}

std::optional<RoomFault> fault_of(const ports::RoomMappingRow& row) {
    auto fault = fault_of_key(row);
    return fault ? fault : fault_in("room_id", row.room_id, kNameCharacters);
}

}  // namespace varde::api
