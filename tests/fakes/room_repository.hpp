#pragma once
#include "ports/room_repository.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <tuple>

namespace varde::fakes {

/// A RoomRepository in memory. Thread-safe.
class RoomRepository final : public ports::RoomRepository {
  public:
    /// While set, every call fails with it.
    void fail_with(std::optional<core::Errc> code) {
        const std::lock_guard lock{mutex_};
        failure_ = code;
    }
    /// How often read_all() was called.
    [[nodiscard]] int reads() const {
        const std::lock_guard lock{mutex_};
        return reads_;
    }

    [[nodiscard]] core::Result<std::vector<ports::RoomRow>> list_rooms(const ports::RoomQuery& query) override {
        return list(rooms_, query);
    }
    [[nodiscard]] core::Result<std::vector<ports::RoomMappingRow>> list_mappings(const ports::RoomQuery& query) override {
        return list(mappings_, query);
    }
    core::Result<bool> put(const ports::RoomRow& row) override {
        return put(rooms_, {row.org_id, row.home_id, row.room_id}, row, ports::kMostRooms);
    }
    core::Result<bool> put(const ports::RoomMappingRow& row) override {
        return put(mappings_, {row.org_id, row.home_id, row.entity_id}, row, ports::kMostMappings);
    }
    core::Result<bool> remove(const ports::RoomRow& row) override {
        return remove(rooms_, {row.org_id, row.home_id, row.room_id});
    }
    core::Result<bool> remove(const ports::RoomMappingRow& row) override {
        return remove(mappings_, {row.org_id, row.home_id, row.entity_id});
    }
    [[nodiscard]] core::Result<std::int64_t> version() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rooms: version");
        return version_;
    }
    [[nodiscard]] core::Result<ports::RoomTables> read_all() override {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rooms: read_all");
        ++reads_;
        ports::RoomTables tables{version_, {}, {}};
        for (const auto& [key, row] : rooms_) tables.rooms.push_back(row);
        for (const auto& [key, row] : mappings_) tables.mappings.push_back(row);
        return tables;
    }

  private:
    using Key = std::tuple<std::string, std::string, std::string>;

    template <class Row>
    core::Result<std::vector<Row>> list(const std::map<Key, Row>& rows, const ports::RoomQuery& query) {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rooms: list");
        std::vector<Row> found;
        for (const auto& [key, row] : rows) {
            const bool wanted = (query.scope.org_id.empty() || query.scope.org_id == row.org_id) &&
                                (query.scope.home_id.empty() || query.scope.home_id == row.home_id);
            if (wanted && found.size() < static_cast<std::size_t>(query.limit)) found.push_back(row);
        }
        return found;
    }
    template <class Row>
    core::Result<bool> put(std::map<Key, Row>& rows, const Key& key, const Row& row, int most) {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rooms: put");
        int others = 0;
        for (const auto& [other, kept] : rows) others += kept.org_id == row.org_id && kept.home_id == row.home_id ? 1 : 0;
        if (!rows.contains(key) && others >= most) return core::fail(core::Errc::too_large, "fake rooms: the home is full");
        ++version_;
        return rows.insert_or_assign(key, row).second;
    }
    template <class Row>
    core::Result<bool> remove(std::map<Key, Row>& rows, const Key& key) {
        const std::lock_guard lock{mutex_};
        if (failure_) return core::fail(*failure_, "fake rooms: remove");
        if (rows.erase(key) == 0) return false;
        ++version_;
        return true;
    }

    mutable std::mutex mutex_;
    std::optional<core::Errc> failure_;
    std::int64_t version_ = 1;
    int reads_ = 0;
    std::map<Key, ports::RoomRow> rooms_;
    std::map<Key, ports::RoomMappingRow> mappings_;
};

}  // namespace varde::fakes
