#include "ingest/room_watch.hpp"

#include "fakes/event_log.hpp"
#include "fakes/log_sink.hpp"
#include "fakes/room_repository.hpp"
#include "ingest/file_import.hpp"
#include "ingest/group_commit.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>

using namespace varde;
using ingest::RoomWatch;

namespace {

const ports::RoomMappingRow kPirInHall{"default", "default", "pir", "hall", true};
const ports::RoomMappingRow kPirInBath{"default", "default", "pir", "bath", true};

std::string room_of_pir(const RoomWatch& watch) {
    const auto picture = watch.picture();
    return std::string{ingest::derive_room({.entity_id = "pir"}, picture->of("default", "default"))};
}

}  // namespace

TEST_SUITE("room watch") {
    TEST_CASE("the tables are read when they have changed, and only then") {
        fakes::RoomRepository rooms;
        fakes::LogSink log;
        RoomWatch watch{rooms, log};
        (void)rooms.put(kPirInHall);
        CHECK(room_of_pir(watch).empty());
        CHECK(watch.look().has_value());
        CHECK(room_of_pir(watch) == "hall");
        CHECK(watch.look().has_value());
        CHECK(rooms.reads() == 1);
        (void)rooms.put(kPirInBath);
        CHECK(room_of_pir(watch) == "hall");
        CHECK(watch.look().has_value());
        CHECK(room_of_pir(watch) == "bath");
        (void)rooms.remove(kPirInBath);
        CHECK(watch.look().has_value());
        CHECK(room_of_pir(watch).empty());
        CHECK(rooms.reads() == 3);
    }

    TEST_CASE("empty tables are read once") {
        fakes::RoomRepository rooms;
        fakes::LogSink log;
        RoomWatch watch{rooms, log};
        CHECK(watch.look().has_value());
        CHECK(watch.look().has_value());
        CHECK(rooms.reads() == 1);
        CHECK(watch.picture()->homes() == 0);
    }

    TEST_CASE("while the database is away the last picture stays") {
        fakes::RoomRepository rooms;
        fakes::LogSink log;
        RoomWatch watch{rooms, log};
        (void)rooms.put(kPirInHall);
        CHECK(watch.look().has_value());
        rooms.fail_with(core::Errc::database_unavailable);
        const auto looked = watch.look();
        REQUIRE_FALSE(looked.has_value());
        CHECK(looked.error().code == core::Errc::database_unavailable);
        CHECK(room_of_pir(watch) == "hall");
        rooms.fail_with({});
        (void)rooms.put(kPirInBath);
        CHECK(watch.look().has_value());
        CHECK(room_of_pir(watch) == "bath");
    }

    TEST_CASE("who holds a picture keeps it; the watch ends at once") {
        fakes::RoomRepository rooms;
        fakes::LogSink log;
        std::shared_ptr<const ingest::RoomPicture> held;
        {
            RoomWatch watch{rooms, log};
            (void)rooms.put(kPirInHall);
            CHECK(watch.look().has_value());
            watch.start();
            held = watch.picture();
        }
        CHECK(derive_room({.entity_id = "pir"}, held->of("default", "default")) == "hall");
    }

    TEST_CASE("what comes in gets its room by the picture of that moment") {
        fakes::RoomRepository rooms;
        fakes::LogSink sink;
        fakes::EventLog log;
        RoomWatch watch{rooms, sink};
        const time::ManualClock clock{time::parse_utc("2026-01-15T12:00:00Z").value()};
        ingest::GroupCommit intake{log, clock, config::HostConfig::Ingest{}, sink, [&watch] { return watch.picture(); }};
        const auto submit = [&](const std::string& id) {
            std::promise<void> done;
            ports::IntakeContext context;
            context.received_at = clock.now();
            intake.submit(
                R"({"id":")" + id + R"(","timestamp":"2026-01-15T11:59:00Z","category":"motion","payload":{"entity_id":"pir"}})",
                ports::BodyFormat::single, context, [&done](const auto&) { done.set_value(); });
            done.get_future().wait();
        };
        submit("before");
        (void)rooms.put(kPirInHall);
        CHECK(watch.look().has_value());
        submit("after");
        CHECK(log.stored().at(0).room_id.empty());
        CHECK(log.stored().at(1).room_id == "hall");
    }
}
