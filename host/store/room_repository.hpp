#pragma once
#include "ports/room_repository.hpp"
#include "store/database.hpp"

namespace varde::store {

/// The tables rooms and sensor_room_map, and rooms_version, which their triggers raise.
class SqlRoomRepository final : public ports::RoomRepository {
  public:
    /// `database` outlives it.
    explicit SqlRoomRepository(Database& database) : database_{database} {}

    [[nodiscard]] core::Result<std::vector<ports::RoomRow>> list_rooms(const ports::RoomQuery& query) override;
    [[nodiscard]] core::Result<std::vector<ports::RoomMappingRow>> list_mappings(const ports::RoomQuery& query) override;
    core::Result<bool> put(const ports::RoomRow& row) override;
    core::Result<bool> put(const ports::RoomMappingRow& row) override;
    core::Result<bool> remove(const ports::RoomRow& row) override;
    core::Result<bool> remove(const ports::RoomMappingRow& row) override;
    [[nodiscard]] core::Result<std::int64_t> version() override;
    [[nodiscard]] core::Result<ports::RoomTables> read_all() override;

  private:
    Database& database_;
};

}  // namespace varde::store
