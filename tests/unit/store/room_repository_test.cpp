#include "store/room_repository.hpp"

#include "fixture.hpp"
#include "store/database_impl.hpp"

using namespace varde;
using namespace varde::store::testing;
using ports::RoomMappingRow;
using ports::RoomRow;

namespace {

RoomRow room(const std::string& home, const std::string& id, const std::string& name) { return {"org", home, id, name}; }

RoomMappingRow sensor(const std::string& home, const std::string& entity, const std::string& room, bool active = true) {
    return {"org", home, entity, room, active};
}

ports::RoomQuery home(const std::string& org, const std::string& id, int limit = 500) { return {{org, id, {}}, limit}; }

/// As another program than the host would write.
void execute(store::Database& database, const std::string& sql) {
    value_of(database.impl().write("a test", [&](store::Session& session) { session.exec(sql.c_str()); }));
}

}  // namespace

TEST_CASE_TEMPLATE("a room is set, named anew and removed, and the answers say what was there", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    const auto bath = room("h1", "bath", "Badet");
    const auto renamed = room("h1", "bath", "Bad og vask's");
    CHECK(value_of(rooms.put(bath)));
    CHECK(value_of(rooms.list_rooms({})) == std::vector{bath});
    CHECK_FALSE(value_of(rooms.put(renamed)));
    CHECK(value_of(rooms.list_rooms({})) == std::vector{renamed});
    CHECK_FALSE(value_of(rooms.remove(room("h2", "bath", ""))));
    CHECK(value_of(rooms.remove(room("h1", "bath", ""))));
    CHECK_FALSE(value_of(rooms.remove(room("h1", "bath", ""))));
    CHECK(value_of(rooms.list_rooms({})).empty());
}

TEST_CASE_TEMPLATE("a sensor is in one room of its home; a mapping may rest", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    CHECK(value_of(rooms.put(sensor("h1", "binary_sensor.pir", "bath"))));
    CHECK_FALSE(value_of(rooms.put(sensor("h1", "binary_sensor.pir", "hall", false))));
    CHECK(value_of(rooms.put(sensor("h2", "binary_sensor.pir", "stue"))));
    CHECK(value_of(rooms.list_mappings({})) ==
          std::vector{sensor("h1", "binary_sensor.pir", "hall", false), sensor("h2", "binary_sensor.pir", "stue")});
    CHECK(value_of(rooms.remove(sensor("h1", "binary_sensor.pir", ""))));
    CHECK_FALSE(value_of(rooms.remove(sensor("h1", "binary_sensor.pir", ""))));
    CHECK(value_of(rooms.list_mappings({})) == std::vector{sensor("h2", "binary_sensor.pir", "stue")});
}

TEST_CASE_TEMPLATE("a removed room leaves the sensors that were mapped to it", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    value_of(rooms.put(room("h1", "bath", "Badet")));
    value_of(rooms.put(sensor("h1", "pir", "bath")));
    value_of(rooms.remove(room("h1", "bath", "")));
    CHECK(value_of(rooms.list_mappings({})) == std::vector{sensor("h1", "pir", "bath")});
}

TEST_CASE_TEMPLATE("rooms are listed in order, limited, and only those of homes that a filter admits", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    for (const char* id : {"c", "a", "B"}) value_of(rooms.put(room("h1", id, "x")));
    value_of(rooms.put(room("h2", "d", "x")));
    value_of(rooms.put(RoomRow{"other", "h1", "e", "x"}));
    value_of(rooms.put(sensor("h1", "s1", "a")));
    value_of(rooms.put(sensor("h2", "s2", "d")));
    const auto found = value_of(rooms.list_rooms(home("org", "h1")));
    REQUIRE(found.size() == 3);
    CHECK(found[0].room_id == "B");
    CHECK(found[1].room_id == "a");
    CHECK(found[2].room_id == "c");
    CHECK(value_of(rooms.list_rooms(home("org", "h1", 2))).size() == 2);
    CHECK(value_of(rooms.list_rooms(home("org", ""))).size() == 4);
    CHECK(value_of(rooms.list_rooms(home("", "h1"))).size() == 4);
    CHECK(value_of(rooms.list_rooms({{"org", "h2", "anna"}})).size() == 1);
    CHECK(value_of(rooms.list_mappings(home("org", "h2"))) == std::vector{sensor("h2", "s2", "d")});
    for (const int limit : {0, 5001}) {
        CHECK(rooms.list_rooms(home("", "", limit)).error().code == core::Errc::invalid_argument);
        CHECK(rooms.list_mappings(home("", "", limit)).error().code == core::Errc::invalid_argument);
    }
}

TEST_CASE_TEMPLATE("a home has so many rooms at most; those that there are can still be named anew", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    for (int i = 0; i < ports::kMostRooms; ++i) value_of(rooms.put(room("h1", "r" + std::to_string(i), "x")));
    const auto refused = rooms.put(room("h1", "more", "x"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::Errc::too_large);
    CHECK(refused.error().context == "the home has 500 rooms; at most 500 are kept");
    CHECK_FALSE(value_of(rooms.put(room("h1", "r7", "named anew"))));
    CHECK(value_of(rooms.put(room("h2", "more", "x"))));
}

TEST_CASE_TEMPLATE("the version rises with every change, whoever makes it, and with nothing else", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    auto last = value_of(rooms.version());
    const auto raised = [&] {
        const auto now = value_of(rooms.version());
        return std::exchange(last, now) < now;
    };
    CHECK_FALSE(raised());
    value_of(rooms.put(room("h1", "bath", "Badet")));
    CHECK(raised());
    value_of(rooms.put(room("h1", "bath", "Bad")));
    CHECK(raised());
    value_of(rooms.put(sensor("h1", "pir", "bath")));
    CHECK(raised());
    value_of(rooms.put(sensor("h1", "pir", "bath", false)));
    CHECK(raised());
    value_of(rooms.remove(sensor("h1", "pir", "")));
    CHECK(raised());
    value_of(rooms.remove(room("h1", "bath", "")));
    CHECK(raised());
    execute(fixture.database(),
            "INSERT INTO rooms (org_id, home_id, room_id, display_name) VALUES ('org', 'h1', 'hall', 'Gang')");
    CHECK(raised());
    execute(fixture.database(), "UPDATE rooms SET display_name = 'Gangen'");
    CHECK(raised());
    CHECK_FALSE(raised());
}

TEST_CASE_TEMPLATE("both tables are read at once, for another process too", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    store::SqlRoomRepository rooms{fixture.database()};
    value_of(rooms.put(room("h1", "bath", "Badet")));
    value_of(rooms.put(sensor("h2", "pir", "hall", false)));
    const auto other = fixture.connect();
    const auto tables = value_of(store::SqlRoomRepository{*other}.read_all());
    CHECK(tables.version == value_of(rooms.version()));
    CHECK(tables.rooms == std::vector{room("h1", "bath", "Badet")});
    CHECK(tables.mappings == std::vector{sensor("h2", "pir", "hall", false)});
}

TEST_CASE_TEMPLATE("another program may map a sensor without saying that it is active", On, ON_EACH_ENGINE) {
    Fixture<On> fixture;
    if (!fixture.ready()) return;
    execute(fixture.database(),
            "INSERT INTO sensor_room_map (org_id, home_id, entity_id, room_id) VALUES ('org', 'h1', 'pir', 'bath')");
    store::SqlRoomRepository rooms{fixture.database()};
    CHECK(value_of(rooms.list_mappings({})) == std::vector{sensor("h1", "pir", "bath")});
}
