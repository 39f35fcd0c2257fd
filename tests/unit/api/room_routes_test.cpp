#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <atomic>

using namespace varde;
using nlohmann::json;
using ports::Role;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string key_line(RunningServer& server, Role role, const core::ScopeFilter& scope = {}) {
    return "X-API-Key: " + server.add_token(role, scope) + "\r\n";
}

json rows(const testing::HttpAnswer& answer) { return json::parse(answer.body)["rows"]; }

constexpr const char* kBath = R"({"room_id":"bath","display_name":"Badet"})";
constexpr const char* kPir = R"({"entity_id":"binary_sensor.pir","room_id":"bath"})";

}  // namespace

TEST_SUITE("room routes") {
    TEST_CASE("a room is set, listed and removed, with and without /v1") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto set = client.request("PUT", "/v1/rooms", kBath);
        CHECK(set.status == 200);
        json expected{{"org_id", "default"}, {"home_id", "default"}, {"room_id", "bath"}, {"display_name", "Badet"}};
        CHECK(rows(client.get("/rooms")) == json{expected});
        expected["status"] = "ok";
        expected["created"] = true;
        CHECK(json::parse(set.body) == expected);
        CHECK(json::parse(client.request("PUT", "/rooms", kBath).body)["created"] == false);
        const auto removed = client.request("DELETE", "/v1/rooms?room_id=bath");
        CHECK(removed.status == 200);
        CHECK(json::parse(removed.body) == json{{"status", "ok"}, {"removed", true}});
        CHECK(client.request("DELETE", "/v1/rooms?room_id=bath").status == 404);
        CHECK(rows(client.get("/v1/rooms")).empty());
        CHECK(server.log.count("room_changed") == 3);
    }

    TEST_CASE("a sensor is mapped, its mapping rests, and is removed") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto set = client.request("PUT", "/v1/room_mappings", kPir);
        CHECK(json::parse(set.body) == json{{"org_id", "default"},
                                            {"home_id", "default"},
                                            {"entity_id", "binary_sensor.pir"},
                                            {"room_id", "bath"},
                                            {"active", true},
                                            {"status", "ok"},
                                            {"created", true}});
        const auto resting = R"({"entity_id":"binary_sensor.pir","room_id":"bath","active":false})";
        CHECK(client.request("PUT", "/v1/room_mappings", resting).status == 200);
        const auto listed = rows(client.get("/v1/room_mappings"));
        REQUIRE(listed.size() == 1);
        CHECK(listed[0]["active"] == false);
        CHECK(client.request("DELETE", "/v1/room_mappings?entity_id=binary_sensor.pir").status == 200);
        CHECK(client.request("DELETE", "/v1/room_mappings?entity_id=binary_sensor.pir").status == 404);
        CHECK(rows(client.get("/v1/room_mappings")).empty());
        CHECK(server.log.count("room_mapping_changed") == 3);
    }

    TEST_CASE("a body that cannot be right is refused in words that name the field") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto refused = [&](const char* path, const std::string& body, int status) {
            const auto answer = client.request("PUT", path, body);
            CHECK(answer.status == status);
            const auto problem = json::parse(answer.body);
            return problem.value("field", "") + ": " + problem["detail"].get<std::string>();
        };
        const std::string rest = ", without control characters, and without blanks at its ends";
        CHECK(refused("/rooms", "{", 400) == ": unreadable JSON");
        CHECK(refused("/rooms", "[]", 422) == ": the body must be a JSON object");
        CHECK(refused("/rooms", R"({"display_name":"x"})", 422) ==
              "room_id: room_id must be a text of 1 to 100 characters" + rest);
        for (const char* name : {"7", "null", R"("")", R"(" a")", R"("a ")", R"("a\u0000b")", R"("a\nb")", R"("\u007f")"}) {
            const auto body = R"({"room_id":"bath","display_name":)" + std::string{name} + "}";
            CHECK(refused("/rooms", body, 422).starts_with("display_name: display_name must be"));
        }
        const auto room = [](std::size_t length) {
            return R"({"display_name":"x","room_id":")" + std::string(length, 'r') + R"("})";
        };
        CHECK(refused("/rooms", room(101), 422).starts_with("room_id: "));
        CHECK(client.request("PUT", "/rooms", room(100)).status == 200);
        const auto sensor = [](std::size_t length) {
            return R"({"room_id":"x","entity_id":")" + std::string(length, 'e') + R"("})";
        };
        CHECK(refused("/room_mappings", sensor(201), 422) == "entity_id: entity_id must be a text of 1 to 200 characters" + rest);
        CHECK(client.request("PUT", "/room_mappings", sensor(200)).status == 200);
        CHECK(client.request("DELETE", "/room_mappings?entity_id=" + std::string(200, 'e')).status == 200);
        CHECK(refused("/room_mappings", R"({"entity_id":"pir"})", 422).starts_with("room_id: "));
        CHECK(refused("/room_mappings", R"({"entity_id":"pir","room_id":"x","active":1})", 422) ==
              "active: active must be true or false");
        CHECK(server.rooms.list_mappings({}).value().empty());
    }

    TEST_CASE("what is removed must be named") {
        RunningServer server;
        HttpClient client{server.start()};
        for (const char* target :
             {"/rooms", "/rooms?room_id=", "/rooms?room_id=a%00b", "/room_mappings", "/room_mappings?room_id=a"}) {
            CHECK(client.request("DELETE", target).status == 400);
        }
        CHECK(client.get("/rooms?limit=0").status == 400);
        CHECK(client.get("/room_mappings?limit=5001").status == 400);
        CHECK(client.post("/rooms", kBath).header("allow") == "GET, PUT, DELETE");
    }

    TEST_CASE("a token sees and changes the rooms of its own homes; a viewer changes nothing") {
        RunningServer server;
        const auto own = key_line(server, Role::operator_, {"o", "h1", ""});
        const auto whole_org = key_line(server, Role::operator_, {"o", "", ""});
        const auto other = key_line(server, Role::admin, {"p", "h1", ""});
        const auto viewer = key_line(server, Role::viewer, {"o", "h1", ""});
        HttpClient client{server.start()};
        for (const auto& [path, body, key] :
             {std::tuple{"/rooms", kBath, "room_id=bath"}, std::tuple{"/room_mappings", kPir, "entity_id=binary_sensor.pir"}}) {
            const std::string p{path};
            CHECK(client.request("PUT", p, body, own).status == 200);
            CHECK(client.request("PUT", p + "?home_id=h2", body, own).status == 403);
            CHECK(client.request("PUT", p + "?home_id=h2", body, whole_org).status == 200);
            CHECK(client.request("PUT", p, body, viewer).status == 403);
            CHECK(client.request("DELETE", p + "?" + key, {}, viewer).status == 403);
            CHECK(client.request("DELETE", p + "?home_id=h2&" + key, {}, own).status == 403);
            CHECK(client.request("DELETE", p + "?" + key, {}, other).status == 404);
            CHECK(client.request("DELETE", p + "?org_id=o&" + key, {}, other).status == 403);
            CHECK(rows(client.get(p, own)).size() == 1);
            CHECK(rows(client.get(p, viewer)).size() == 1);
            CHECK(rows(client.get(p, whole_org)).size() == 2);
            CHECK(rows(client.get(p + "?home_id=h2", whole_org)).size() == 1);
            CHECK(client.get(p + "?home_id=h2", own).status == 403);
            CHECK(rows(client.get(p, other)).empty());
        }
    }

    TEST_CASE("a token of one subject sees the rooms of its own home, and changes none") {
        RunningServer server;
        const auto admin = key_line(server, Role::admin, {"o", "", ""});
        const auto anna = key_line(server, Role::admin, {"o", "h1", "anna"});
        const auto anywhere = key_line(server, Role::admin, {"", "", "anna"});
        const auto in_org = key_line(server, Role::admin, {"o", "", "anna"});
        HttpClient client{server.start()};
        for (const auto& [path, body, key] :
             {std::tuple{"/rooms", kBath, "room_id=bath"}, std::tuple{"/room_mappings", kPir, "entity_id=binary_sensor.pir"}}) {
            const std::string p{path};
            CHECK(client.request("PUT", p + "?home_id=h1", body, admin).status == 200);
            CHECK(client.request("PUT", p + "?home_id=h2", body, admin).status == 200);
            CHECK(rows(client.get(p, anna)).size() == 1);
            CHECK(client.get(p + "?subject_id=bent", anna).status == 403);
            CHECK(client.request("PUT", p, body, anna).status == 403);
            CHECK(client.request("DELETE", p + "?" + key, {}, anna).status == 403);
            for (const auto& loose : {anywhere, in_org}) {
                CHECK(client.get(p, loose).status == 403);
                CHECK(client.get(p + "?home_id=h1&org_id=o", loose).status == 403);
                CHECK(client.request("PUT", p + "?home_id=h1&org_id=o", body, loose).status == 403);
            }
        }
    }

    TEST_CASE("the intake is told of a change before the client is, and of nothing else") {
        RunningServer server;
        std::atomic<int> told = 0;
        server.rooms_changed = [&told] { ++told; };
        HttpClient client{server.start()};
        CHECK(client.request("PUT", "/rooms", kBath).status == 200);
        CHECK(told == 1);
        CHECK(client.request("PUT", "/room_mappings", kPir).status == 200);
        CHECK(told == 2);
        CHECK(client.request("DELETE", "/rooms?room_id=bath").status == 200);
        CHECK(told == 3);
        CHECK(client.request("DELETE", "/rooms?room_id=bath").status == 404);
        CHECK(client.request("PUT", "/rooms", "{}").status == 422);
        CHECK(client.get("/rooms").status == 200);
        CHECK(told == 3);
    }

    TEST_CASE("a full home is 413, and a database that is away 503") {
        RunningServer server;
        HttpClient client{server.start()};
        for (int i = 0; i < ports::kMostRooms; ++i) {
            REQUIRE(server.rooms.put(ports::RoomRow{"default", "default", "r" + std::to_string(i), "x"}).has_value());
        }
        CHECK(client.request("PUT", "/rooms", kBath).status == 413);
        CHECK(client.request("PUT", "/rooms?home_id=h2", kBath).status == 200);
        server.rooms.fail_with(core::Errc::database_unavailable);
        CHECK(client.request("PUT", "/rooms", kBath).status == 503);
        CHECK(client.request("DELETE", "/rooms?room_id=bath").status == 503);
        CHECK(client.get("/rooms").status == 503);
        CHECK(client.get("/room_mappings").status == 503);
    }
}
