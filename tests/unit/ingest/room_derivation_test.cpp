#include "ingest/room_derivation.hpp"

#include "ingest/event_reader.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace varde;
using ingest::derive_room;
using ingest::HomeRooms;
using ingest::RoomPicture;
using ingest::RoomWords;
using ports::RoomMappingRow;
using ports::RoomRow;

namespace {

/// bath "Badet", hall "Gang", kitchen "Kjøkken", and a sensor in the cellar, which is no room of the table.
HomeRooms home() {
    HomeRooms rooms;
    rooms.add(RoomRow{"o", "h", "bath", "Badet"});
    rooms.add(RoomRow{"o", "h", "hall", "Gang"});
    rooms.add(RoomRow{"o", "h", "kitchen", "Kjøkken"});
    rooms.add(RoomMappingRow{"o", "h", "binary_sensor.pir", "cellar", true});
    return rooms;
}

ports::RoomTables tables() {
    ports::RoomTables both;
    both.rooms = {{"o", "h1", "bath", "Badet"}, {"o", "h2", "wc", "Badet"}, {"p", "h1", "tub", "Badet"}};
    both.mappings = {{"o", "h1", "pir", "hall", true}, {"o", "h3", "pir", "stairs", true}, {"o", "h4", "pir", "x", false}};
    return both;
}

/// The room of an event of home o/h1 with these members, read with the tables above.
std::string room_of(const std::string& members, bool with_tables = true) {
    const RoomPicture picture{tables()};
    ports::IntakeContext context;
    context.received_at = time::parse_utc("2026-01-15T12:00:00Z").value();
    const auto text =
        R"({"id":"e","timestamp":"2026-01-15T11:59:00Z","category":"motion","org_id":"o","home_id":"h1",)" + members + "}";
    auto reading = ingest::EventReader{{}}.read_one(text, context, with_tables ? &picture : nullptr);
    REQUIRE(reading.valid());
    return reading.event.room_id;
}

}  // namespace

TEST_SUITE("room derivation") {
    TEST_CASE("1: a room_id that the home has wins over everything") {
        const auto rooms = home();
        const RoomWords words{.room_id = " hall ", .room = "Badet", .area = "Kjøkken", .entity_id = "binary_sensor.pir"};
        CHECK(derive_room(words, &rooms) == "hall");
    }

    TEST_CASE("1: a room_id counts as it is written") {
        const auto rooms = home();
        CHECK(derive_room({.room_id = "HALL", .room = "Badet"}, &rooms) == "bath");
    }

    TEST_CASE("2: room is the display name of a room, in any case, and comes before area") {
        const auto rooms = home();
        CHECK(derive_room({.room_id = "unknown", .room = " bADET ", .area = "Gang"}, &rooms) == "bath");
        CHECK(derive_room({.room = "badet", .entity_id = "binary_sensor.pir"}, &rooms) == "bath");
    }

    TEST_CASE("2: area counts where room is no display name") {
        const auto rooms = home();
        CHECK(derive_room({.area = "gang"}, &rooms) == "hall");
        CHECK(derive_room({.room = "somewhere", .area = "GANG", .entity_id = "binary_sensor.pir"}, &rooms) == "hall");
    }

    TEST_CASE("2: the letters of other languages have two cases too") {
        const auto rooms = home();
        CHECK(derive_room({.room = "KJØKKEN"}, &rooms) == "kitchen");
        HomeRooms others;
        others.add(RoomRow{"o", "h", "a", "ÅRSTIDSSTUE"});
        others.add(RoomRow{"o", "h", "b", "ΚΟΥΖΊΝΑ"});
        others.add(RoomRow{"o", "h", "c", "КУХНЯ"});
        CHECK(derive_room({.room = "årstidsstue"}, &others) == "a");
        CHECK(derive_room({.room = "κουζίνα"}, &others) == "b");
        CHECK(derive_room({.room = "Кухня"}, &others) == "c");
    }

    TEST_CASE("2: of several rooms with one name the lowest id counts, in whatever order they are known") {
        HomeRooms rooms;
        rooms.add(RoomRow{"o", "h", "room-2", "Stue"});
        rooms.add(RoomRow{"o", "h", "room-1", "STUE"});
        rooms.add(RoomRow{"o", "h", "room-3", "stue"});
        CHECK(derive_room({.room = "Stue"}, &rooms) == "room-1");
    }

    TEST_CASE("2: the id of a room is not its name") {
        const auto rooms = home();
        CHECK(derive_room({.room = "bath", .entity_id = "binary_sensor.pir"}, &rooms) == "cellar");
    }

    TEST_CASE("3: a mapped sensor is where it is mapped to, also before a room_id that the home does not have") {
        const auto rooms = home();
        CHECK(derive_room({.entity_id = " binary_sensor.pir "}, &rooms) == "cellar");
        CHECK(derive_room({.room_id = "unknown", .room = "somewhere", .entity_id = "binary_sensor.pir"}, &rooms) == "cellar");
        CHECK(derive_room({.entity_id = "binary_sensor.PIR"}, &rooms).empty());
    }

    TEST_CASE("3: a mapping that rests does not count") {
        HomeRooms rooms;
        rooms.add(RoomMappingRow{"o", "h", "pir", "cellar", false});
        CHECK(derive_room({.room = "somewhere", .entity_id = "pir"}, &rooms) == "somewhere");
    }

    TEST_CASE("4: else the first text of room_id, room and area that is not blank") {
        const auto rooms = home();
        for (const HomeRooms* const known : {&rooms, static_cast<const HomeRooms*>(nullptr)}) {
            CHECK(derive_room({.room_id = " a ", .room = "b", .area = "c", .entity_id = "other"}, known) == "a");
            CHECK(derive_room({.room_id = " ", .room = "b", .area = "c"}, known) == "b");
            CHECK(derive_room({.area = "c\t"}, known) == "c");
            CHECK(derive_room({.room_id = "", .entity_id = "other"}, known).empty());
            CHECK(derive_room({}, known).empty());
        }
    }

    TEST_CASE("a text that is not UTF-8 is no room's name, and does no harm") {
        const auto rooms = home();
        CHECK(derive_room({.room = "\xC3"}, &rooms) == "\xC3");
        CHECK(derive_room({.room = std::string_view{"Ba\0det", 6}}, &rooms) == std::string_view{"Ba\0det", 6});
        CHECK(derive_room({.room = "\xFF\xFE gang"}, &rooms) == "\xFF\xFE gang");
    }
}

TEST_SUITE("rooms of events") {
    TEST_CASE("a home's rooms and sensors are its own") {
        CHECK(room_of(R"("payload":{"entity_id":"pir"})") == "hall");
        CHECK(room_of(R"("payload":{"area":"badet"})") == "bath");
        CHECK(room_of(R"("home_id":"h2","payload":{"area":"badet"})") == "wc");
        CHECK(room_of(R"("home_id":"h2","payload":{"entity_id":"pir"})").empty());
        CHECK(room_of(R"("home_id":"h3","payload":{"entity_id":"pir"})") == "stairs");
        CHECK(room_of(R"("home_id":"h3","payload":{"area":"badet"})") == "badet");
        CHECK(room_of(R"("home_id":"h4","payload":{"entity_id":"pir"})").empty());
        CHECK(room_of(R"("org_id":"p","payload":{"room":"BADET"})") == "tub");
        CHECK(room_of(R"("org_id":"q","payload":{"entity_id":"pir"})").empty());
        CHECK(RoomPicture{tables()}.homes() == 5);
    }

    TEST_CASE("the event's own room_id stands, whatever the tables say") {
        CHECK(room_of(R"("room_id":"mine","payload":{"room_id":"bath","entity_id":"pir"})") == "mine");
    }

    TEST_CASE("the payload is stored unchanged") {
        const RoomPicture picture{tables()};
        ports::IntakeContext context;
        context.check_future = false;
        const auto reading = ingest::EventReader{{}}.read_one(
            R"({"id":"e","timestamp":"2026-01-15T11:59:00Z","category":"m","org_id":"o","home_id":"h1",)"
            R"("payload":{ "entity_id" : "pir" }})",
            context, &picture);
        CHECK(reading.event.room_id == "hall");
        CHECK(reading.event.payload == R"({ "entity_id" : "pir" })");
    }

    TEST_CASE("the last of repeated keys counts, and what is no text says nothing") {
        CHECK(room_of(R"("payload":{"entity_id":"other","entity_id":"pir"})") == "hall");
        CHECK(room_of(R"("payload":{"entity_id":"pir","entity_id":7})").empty());
        CHECK(room_of(R"("payload":{"inner":{"entity_id":"pir"}})").empty());
    }

    TEST_CASE("without tables an entity says nothing") {
        CHECK(room_of(R"("payload":{"entity_id":"pir"})", false).empty());
        CHECK(room_of(R"("payload":{"entity_id":"pir","area":"Badet"})", false) == "Badet");
    }

    TEST_CASE("a text of the payload that is too long for a room is none, but it does not hide a mapping") {
        const std::string longest(101, 'r');
        CHECK(room_of(R"("payload":{"room":")" + longest + R"(","entity_id":"pir"})") == "hall");
        CHECK(room_of(R"("payload":{"room":")" + longest + R"("})").empty());
    }
}
