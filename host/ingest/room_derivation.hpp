#pragma once
#include "ports/room_repository.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace varde::ingest {

/// What a payload says of where it was: the texts of these keys, as they stand; not set where there is no text.
struct RoomWords {
    using Text = std::optional<std::string_view>;
    Text room_id{}, room{}, area{}, entity_id{};
};

/// What is known of one home: its rooms, and the active mappings of its sensors.
class HomeRooms {
  public:
    void add(const ports::RoomRow& row);
    void add(const ports::RoomMappingRow& row);  ///< one that is not active is left out

    /// Each returns the id of a room, or nullptr.
    [[nodiscard]] const std::string* with_id(std::string_view room_id) const;
    /// By its display name in any case; the lowest id if several have it.
    [[nodiscard]] const std::string* named(std::string_view name) const;
    [[nodiscard]] const std::string* of_sensor(std::string_view entity_id) const;

  private:
    std::set<std::string, std::less<>> ids_;
    std::map<std::string, std::string, std::less<>> by_name_;    // the name in lower case -> room_id
    std::map<std::string, std::string, std::less<>> by_sensor_;  // entity_id -> room_id
};

/// All homes of which something is known, as the tables were at one moment. Immutable.
class RoomPicture {
  public:
    RoomPicture() = default;
    explicit RoomPicture(const ports::RoomTables& tables);
    /// nullptr: nothing is known of this home.
    [[nodiscard]] const HomeRooms* of(std::string_view org_id, std::string_view home_id) const;
    [[nodiscard]] std::size_t homes() const;

  private:
    std::map<std::string, std::map<std::string, HomeRooms, std::less<>>, std::less<>> homes_;
};

/// The picture to work with now; any thread, must not block. May be empty: then nothing is known of any home.
using RoomSource = std::function<std::shared_ptr<const RoomPicture>()>;

/// The room of an event, from the first that says one:
/// 1. room_id, if the home has that room; 2. room, then area, if it is the display name of one (in any case);
/// 3. the active mapping of entity_id; 4. the first text that is not blank of room_id, room, area.
/// Texts count without the blanks at their ends. Empty: none. `home` may be nullptr: then 4 alone decides. The view is into one of the two.
[[nodiscard]] std::string_view derive_room(const RoomWords& words, const HomeRooms* home);

}  // namespace varde::ingest
