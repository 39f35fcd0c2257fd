#include "store/room_repository.hpp"

#include "store/conditions.hpp"
#include "store/database_impl.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace varde::store {
namespace {

std::vector<ports::RoomRow> select_rooms(Session& session, const Conditions& conditions, const std::string& tail) {
    ports::RoomRow row;
    soci::statement statement{session.sql};
    for (std::string* column : {&row.org_id, &row.home_id, &row.room_id, &row.display_name}) {
        statement.exchange(soci::into(*column));
    }
    conditions.execute(statement, "SELECT org_id, home_id, room_id, display_name FROM rooms" + conditions.where() +
                                      " ORDER BY org_id, home_id, room_id" + tail);
    std::vector<ports::RoomRow> found;
    while (statement.fetch()) found.push_back(row);
    return found;
}

std::vector<ports::RoomMappingRow> select_mappings(Session& session, const Conditions& conditions, const std::string& tail) {
    int active = 0;
    ports::RoomMappingRow row;
    soci::statement statement{session.sql};
    for (std::string* column : {&row.org_id, &row.home_id, &row.entity_id, &row.room_id}) {
        statement.exchange(soci::into(*column));
    }
    statement.exchange(soci::into(active));
    conditions.execute(statement, "SELECT org_id, home_id, entity_id, room_id, active FROM sensor_room_map" + conditions.where() +
                                      " ORDER BY org_id, home_id, entity_id" + tail);
    std::vector<ports::RoomMappingRow> found;
    while (statement.fetch()) {
        row.active = active != 0;
        found.push_back(row);
    }
    return found;
}

/// Homes have rooms; subjects have none.
Conditions homes_of(const core::ScopeFilter& filter) {
    Conditions conditions;
    conditions.admitted_by({filter.org_id, filter.home_id, {}});
    return conditions;
}

std::optional<core::Error> refusal(const ports::RoomQuery& query) {
    if (query.limit >= 1 && query.limit <= 5000) return std::nullopt;
    return core::Error{core::Errc::invalid_argument, "rooms: limit must be 1 to 5000"};
}

/// How many rows of `table` the home has, and whether one of them has this key.
struct Found {
    int rows = 0;
    int same = 0;
};
Found count(Session& session, const std::string& table, const std::string& key, const std::string& org, const std::string& home,
            const std::string& id) {
    Found found;
    // Two changes of one home at the same time may both find the last place free: a row more does no harm.
    session.sql << fmt::format(
        "SELECT count(*), coalesce(sum(CASE WHEN {} = :id THEN 1 ELSE 0 END), 0) FROM {}"
        " WHERE org_id = :org AND home_id = :home",
        key, table),
        soci::use(id, "id"), soci::use(org, "org"), soci::use(home, "home"), soci::into(found.rows), soci::into(found.same);
    return found;
}

bool erase(Session& session, const std::string& table, const std::string& key, const std::string& org, const std::string& home,
           const std::string& id) {
    const auto sql = fmt::format("DELETE FROM {} WHERE org_id = :org AND home_id = :home AND {} = :id", table, key);
    soci::statement statement = (session.sql.prepare << sql, soci::use(org, "org"), soci::use(home, "home"), soci::use(id, "id"));
    statement.execute(true);
    return statement.get_affected_rows() == 1;
}

core::Result<bool> full(const char* what, int most) {
    return core::fail(core::Errc::too_large, fmt::format("the home has {} {}; at most {} are kept", most, what, most));
}

}  // namespace

core::Result<std::vector<ports::RoomRow>> SqlRoomRepository::list_rooms(const ports::RoomQuery& query) {
    if (auto error = refusal(query)) return tl::unexpected{std::move(*error)};
    return database_.impl().run("listing rooms", [&](Session& session) {
        return select_rooms(session, homes_of(query.scope), " LIMIT " + std::to_string(query.limit));
    });
}

core::Result<std::vector<ports::RoomMappingRow>> SqlRoomRepository::list_mappings(const ports::RoomQuery& query) {
    if (auto error = refusal(query)) return tl::unexpected{std::move(*error)};
    return database_.impl().run("listing room mappings", [&](Session& session) {
        return select_mappings(session, homes_of(query.scope), " LIMIT " + std::to_string(query.limit));
    });
}

core::Result<bool> SqlRoomRepository::put(const ports::RoomRow& row) {
    Found before;
    const auto done = database_.impl().write("setting a room", [&](Session& session) {
        before = count(session, "rooms", "room_id", row.org_id, row.home_id, row.room_id);
        if (before.same == 0 && before.rows >= ports::kMostRooms) return false;
        session.sql << "INSERT INTO rooms (org_id, home_id, room_id, display_name) VALUES (:org, :home, :room, :name)"
                       " ON CONFLICT (org_id, home_id, room_id) DO UPDATE SET display_name = excluded.display_name",
            soci::use(row.org_id, "org"), soci::use(row.home_id, "home"), soci::use(row.room_id, "room"),
            soci::use(row.display_name, "name");
        return true;
    });
    if (!done) return tl::unexpected{done.error()};
    if (!*done) return full("rooms", ports::kMostRooms);
    return before.same == 0;
}

core::Result<bool> SqlRoomRepository::put(const ports::RoomMappingRow& row) {
    Found before;
    const auto done = database_.impl().write("mapping a sensor to a room", [&](Session& session) {
        before = count(session, "sensor_room_map", "entity_id", row.org_id, row.home_id, row.entity_id);
        if (before.same == 0 && before.rows >= ports::kMostMappings) return false;
        const int active = row.active ? 1 : 0;
        session.sql << "INSERT INTO sensor_room_map (org_id, home_id, entity_id, room_id, active)"
                       " VALUES (:org, :home, :entity, :room, :active) ON CONFLICT (org_id, home_id, entity_id)"
                       " DO UPDATE SET room_id = excluded.room_id, active = excluded.active",
            soci::use(row.org_id, "org"), soci::use(row.home_id, "home"), soci::use(row.entity_id, "entity"),
            soci::use(row.room_id, "room"), soci::use(active, "active");
        return true;
    });
    if (!done) return tl::unexpected{done.error()};
    if (!*done) return full("mapped sensors", ports::kMostMappings);
    return before.same == 0;
}

core::Result<bool> SqlRoomRepository::remove(const ports::RoomRow& row) {
    return database_.impl().write("removing a room", [&](Session& session) {
        return erase(session, "rooms", "room_id", row.org_id, row.home_id, row.room_id);
    });
}

core::Result<bool> SqlRoomRepository::remove(const ports::RoomMappingRow& row) {
    return database_.impl().write("removing a room mapping", [&](Session& session) {
        return erase(session, "sensor_room_map", "entity_id", row.org_id, row.home_id, row.entity_id);
    });
}

core::Result<std::int64_t> SqlRoomRepository::version() {
    return database_.impl().run("reading the version of the rooms", [](Session& session) {
        long long version = 0;
        session.sql << "SELECT version FROM rooms_version", soci::into(version);
        return std::int64_t{version};
    });
}

core::Result<ports::RoomTables> SqlRoomRepository::read_all() {
    return database_.impl().run("reading the rooms", [](Session& session) {
        long long version = 0;
        session.sql << "SELECT version FROM rooms_version", soci::into(version);
        return ports::RoomTables{version, select_rooms(session, {}, ""), select_mappings(session, {}, "")};
    });
}

}  // namespace varde::store
