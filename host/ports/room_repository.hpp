#pragma once
#include "core/error.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace varde::ports {

/// A room of one home. Rooms belong to homes and not to the subjects in them.
struct RoomRow {
    std::string org_id = "default";
    std::string home_id = "default";
    std::string room_id;       ///< 1..100 characters, without blanks at its ends
    std::string display_name;  ///< what people and payloads call it; 1..100 characters
    friend bool operator==(const RoomRow&, const RoomRow&) = default;
};

/// In which room of its home a sensor is.
struct RoomMappingRow {
    std::string org_id = "default";
    std::string home_id = "default";
    std::string entity_id;  ///< as payloads have it; 1..200 characters, without blanks at its ends
    std::string room_id;    ///< 1..100 characters; need not be a RoomRow's
    bool active = true;     ///< false: kept, and not used
    friend bool operator==(const RoomMappingRow&, const RoomMappingRow&) = default;
};

struct RoomQuery {
    core::ScopeFilter scope;  ///< subject_id is not looked at
    int limit = 500;          ///< 1..5000
};

/// Both tables, whole.
struct RoomTables {
    std::int64_t version = 0;  ///< what version() said before they were read: they are at least as new
    std::vector<RoomRow> rooms;
    std::vector<RoomMappingRow> mappings;
};

/// So many a home at most: every host keeps all of them in memory.
inline constexpr int kMostRooms = 500;
inline constexpr int kMostMappings = 5000;

/// What is known of the rooms of homes. Thread-safe; blocking: call on a database thread only.
class RoomRepository {
  public:
    virtual ~RoomRepository() = default;
    /// In the order of org_id, home_id and room_id, or entity_id. Errc::invalid_argument: limit is out of its range.
    [[nodiscard]] virtual core::Result<std::vector<RoomRow>> list_rooms(const RoomQuery& query) = 0;
    [[nodiscard]] virtual core::Result<std::vector<RoomMappingRow>> list_mappings(const RoomQuery& query) = 0;
    /// Stores the row of its home and room_id, or entity_id; true if there was none before. Errc::too_large: the home has kMostRooms or
    /// kMostMappings others.
    virtual core::Result<bool> put(const RoomRow& row) = 0;
    virtual core::Result<bool> put(const RoomMappingRow& row) = 0;
    /// Removes the row with the key of `row`; false if there is none. A room takes no mapping with it.
    virtual core::Result<bool> remove(const RoomRow& row) = 0;
    virtual core::Result<bool> remove(const RoomMappingRow& row) = 0;
    /// Another number after every change of a row, also by another process. Cheap.
    [[nodiscard]] virtual core::Result<std::int64_t> version() = 0;
    [[nodiscard]] virtual core::Result<RoomTables> read_all() = 0;
};

}  // namespace varde::ports
