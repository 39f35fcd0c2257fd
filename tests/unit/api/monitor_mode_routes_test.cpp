#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using core::MonitorMode;
using nlohmann::json;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string key_line(RunningServer& server, ports::Role role, const core::ScopeFilter& scope = {}) {
    return "X-API-Key: " + server.add_token(role, scope) + "\r\n";
}

}  // namespace

TEST_SUITE("monitor mode routes") {
    TEST_CASE("a mode is set with and without /v1, listed, and in force for runs") {
        RunningServer server;
        server.rules->rules["R-002"] = {};
        HttpClient client{server.start()};
        const auto set = client.post("/monitor_modes", R"({"monitor_key":"R-002","mode":"off"})");
        CHECK(set.status == 200);
        CHECK(json::parse(set.body) == json{{"org_id", "default"},
                                            {"home_id", "default"},
                                            {"subject_id", "default"},
                                            {"monitor_key", "R-002"},
                                            {"room_id", "__GLOBAL__"},
                                            {"mode", "OFF"},
                                            {"updated_at", "2026-01-15T12:00:00Z"},
                                            {"updated_by", "local"},
                                            {"status", "ok"},
                                            {"known_rule", true}});
        const auto in_force = server.modes.in_force().value();
        REQUIRE(in_force.size() == 1);
        CHECK(in_force[0].mode == MonitorMode::off);
        CHECK(client.post("/v1/monitor_modes", R"({"monitor_key":"R-002","room_id":null,"mode":"TEST"})").status == 200);
        const auto listed = json::parse(client.get("/v1/monitor_modes").body);
        CHECK(listed["status"] == "ok");
        REQUIRE(listed["rows"].size() == 1);
        CHECK(listed["rows"][0]["mode"] == "TEST");
        CHECK(server.log.count("monitor_mode_changed") == 2);
    }

    TEST_CASE("a body that cannot be right is refused in words") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto refused = [&](const char* body, int status) {
            const auto answer = client.post("/monitor_modes", body);
            CHECK(answer.status == status);
            return json::parse(answer.body)["detail"].get<std::string>();
        };
        CHECK(refused(R"({"mode":"ON"})", 400) == "monitor_key required");
        CHECK(refused(R"({"monitor_key":"","mode":"ON"})", 400) == "monitor_key required");
        CHECK(refused(R"({"monitor_key":"R-001","mode":"maybe"})", 400) == "invalid mode: MAYBE; ON, TEST or OFF");
        CHECK(refused(R"({"monitor_key":"R-001"})", 400) == "invalid mode: ; ON, TEST or OFF");
        CHECK(refused(R"({"monitor_key":"R-001","mode":"ON","room_id":7})", 422) ==
              "room_id must be a text of 1 to 100 characters");
        CHECK(refused("[]", 422) == "the body must be a JSON object");
        CHECK(refused("{", 400) == "unreadable JSON");
        CHECK(server.modes.list({}).value().empty());
    }

    TEST_CASE("a key that no rule has is kept, but the answer says so; a room is not the home") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto answer = client.post("/monitor_modes", R"({"monitor_key":"R-0002","room_id":"stue","mode":"OFF"})");
        CHECK(json::parse(answer.body)["known_rule"] == false);
        CHECK(server.modes.in_force().value().empty());
        CHECK(json::parse(client.get("/monitor_modes?room_id=stue").body)["rows"].size() == 1);
        CHECK(json::parse(client.get("/monitor_modes?room_id=bad").body)["rows"].empty());
    }

    TEST_CASE("a token sets and sees its own home; a viewer sets nothing") {
        RunningServer server;
        const auto anna = key_line(server, ports::Role::operator_, {"o", "h1", "anna"});
        const auto whole_org = key_line(server, ports::Role::operator_, {"o", "", ""});
        const auto viewer = key_line(server, ports::Role::viewer);
        HttpClient client{server.start()};
        const std::string off = R"({"monitor_key":"R-001","mode":"OFF"})";
        CHECK(client.post("/monitor_modes", off, anna).status == 200);
        CHECK(client.post("/monitor_modes?home_id=h2", off, anna).status == 403);
        CHECK(client.post("/monitor_modes?home_id=h2&subject_id=bent", off, whole_org).status == 200);
        CHECK(client.post("/monitor_modes", off, viewer).status == 403);
        const auto rows = server.modes.list({}).value();
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].scope == core::Scope{"o", "h1", "anna"});
        CHECK(rows[0].updated_by == "operator");
        CHECK(rows[1].scope == core::Scope{"o", "h2", "bent"});
        CHECK(json::parse(client.get("/monitor_modes", anna).body)["rows"].size() == 1);
        CHECK(json::parse(client.get("/monitor_modes", whole_org).body)["rows"].size() == 2);
        CHECK(client.get("/monitor_modes?limit=5001", viewer).status == 400);
        CHECK(json::parse(client.get("/monitor_modes?limit=1", viewer).body)["rows"].size() == 1);
    }

    TEST_CASE("while the database is away a mode is neither set nor listed") {
        RunningServer server;
        server.modes.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        CHECK(client.get("/monitor_modes").status == 503);
        CHECK(client.post("/monitor_modes", R"({"monitor_key":"R-001","mode":"OFF"})").status == 503);
    }
}
