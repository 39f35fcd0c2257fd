#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using ports::Role;
using testing::HttpAnswer;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string key_line(RunningServer& server, Role role, const core::ScopeFilter& scope = {}) {
    return "X-API-Key: " + server.add_token(role, scope) + "\r\n";
}

constexpr const char* kNightly =
    R"({"id":"nightly","name":"Tidy up","kind":"noop","trigger":{"cron":"0 3 * * *","timezone":"Europe/Oslo"}})";

std::string definition(const std::string& id, const std::string& rest = "") {
    return R"({"id":")" + id + R"(","kind":"noop","trigger":{"manual":true})" + rest + "}";
}

json body(const HttpAnswer& answer) { return json::parse(answer.body); }
std::string detail(const HttpAnswer& answer) { return body(answer).value("detail", ""); }

std::vector<std::string> ids(const HttpAnswer& answer) {
    std::vector<std::string> found;
    const auto parsed = body(answer);
    for (const auto& row : parsed["rows"]) found.push_back(row["id"]);
    return found;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_SUITE("who may do what with schedules") {
    TEST_CASE("viewers read, operators switch and run, admins define") {
        RunningServer server;
        server.settings.require_tokens = true;
        const auto viewer = key_line(server, Role::viewer);
        const auto own = key_line(server, Role::operator_);
        const auto admin = key_line(server, Role::admin);
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 401);
        CHECK(client.post("/v1/schedules", kNightly, own).status == 403);
        CHECK(client.post("/v1/schedules", kNightly, admin).status == 201);
        CHECK(server.desk.by() == "admin");
        CHECK(client.request("PUT", "/v1/schedules/nightly", kNightly, own).status == 403);
        CHECK(client.request("PATCH", "/v1/schedules/nightly", "{}", own).status == 403);
        CHECK(client.request("DELETE", "/v1/schedules/nightly", {}, own).status == 403);
        for (const char* action : {"enable", "disable", "enable", "pause", "resume", "run"}) {
            const auto path = "/v1/schedules/nightly/" + std::string{action};
            CHECK_MESSAGE(client.post(path, "", viewer).status == 403, action);
            CHECK_MESSAGE(client.post(path, "", own).status < 300, action);
        }
        CHECK(server.desk.by() == "operator");
        for (const char* path : {"", "/nightly", "/nightly/preview", "/nightly/dependencies", "/nightly/dependents"}) {
            CHECK_MESSAGE(client.get("/v1/schedules" + std::string{path}, viewer).status == 200, path);
        }
        CHECK(client.post("/v1/schedules/preview", kNightly, viewer).status == 200);
    }

    TEST_CASE("a token of an organisation makes and sees its own schedules; those of others do not exist for it") {
        RunningServer server;
        const auto north = key_line(server, Role::admin, {"north", "", ""});
        const auto south = key_line(server, Role::admin, {"south", "", ""});
        const auto all = key_line(server, Role::admin);
        HttpClient client{server.start()};
        CHECK(body(client.post("/v1/schedules", definition("n"), north))["org_id"] == "north");
        CHECK(body(client.post("/v1/schedules", definition("s"), south))["org_id"] == "south");
        CHECK(body(client.post("/v1/schedules?org_id=south", definition("s2"), all))["org_id"] == "south");
        CHECK(client.post("/v1/schedules?org_id=south", definition("x"), north).status == 403);
        CHECK(ids(client.get("/v1/schedules", north)) == Ids{"n"});
        CHECK(ids(client.get("/v1/schedules", all)) == Ids{"n", "s", "s2"});
        CHECK(ids(client.get("/v1/schedules?org_id=south", all)) == Ids{"s", "s2"});
        CHECK(client.get("/v1/schedules?org_id=south", north).status == 403);
        for (const char* path : {"", "/preview", "/dependencies", "/dependents"}) {
            CHECK_MESSAGE(client.get("/v1/schedules/s" + std::string{path}, north).status == 404, path);
        }
        CHECK(client.request("PUT", "/v1/schedules/s", definition("s"), north).status == 404);
        CHECK(client.request("PATCH", "/v1/schedules/s", R"({"name":"x"})", north).status == 404);
        CHECK(client.request("DELETE", "/v1/schedules/s", {}, north).status == 404);
        for (const char* action : {"enable", "disable", "pause", "resume", "run"}) {
            CHECK_MESSAGE(client.post("/v1/schedules/s/" + std::string{action}, "", north).status == 404, action);
        }
        const auto waits = definition("w", R"(,"policy":{"depends_on":["s"]})");
        CHECK(client.post("/v1/schedules", waits, north).status == 422);
        CHECK(body(client.get("/v1/schedules/s", south))["version"] == 1);
    }

    TEST_CASE("jobs that reach beyond an organisation are for who is limited to none, also by an input") {
        RunningServer server;
        const auto north = key_line(server, Role::admin, {"north", "", ""});
        const auto all = key_line(server, Role::admin);
        HttpClient client{server.start()};
        const auto wide = definition("wide", R"(,"params":{"everybody":1})");
        const auto refused = client.post("/v1/schedules", wide, north);
        CHECK(refused.status == 403);
        CHECK(detail(refused) == "Forbidden: with these params a job of kind noop reaches beyond the token's organisation");
        CHECK(client.post("/v1/schedules?org_id=north", wide, all).status == 201);
        CHECK(client.post("/v1/schedules", definition("own"), north).status == 201);
        CHECK(client.request("PUT", "/v1/schedules/own", definition("own", R"(,"params":{"everybody":1})"), north).status == 403);
        CHECK(client.request("PATCH", "/v1/schedules/wide", R"({"name":"x"})", north).status == 403);
        CHECK(client.post("/v1/schedules/own/run", R"({"input":{"everybody":1}})", north).status == 403);
        CHECK(client.post("/v1/schedules/wide/run", R"({"input":{"n":1}})", north).status == 403);
        CHECK(client.post("/v1/schedules/wide/run", "", north).status == 201);
        CHECK(client.post("/v1/schedules/own/run", R"({"input":{"n":1}})", north).status == 201);
    }

    TEST_CASE("an input changes what a job does, which is for admins") {
        RunningServer server;
        server.settings.require_tokens = true;
        const auto own = key_line(server, Role::operator_);
        const auto admin = key_line(server, Role::admin);
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly, admin).status == 201);
        CHECK(client.post("/v1/schedules/nightly/run", R"({"input":{"n":1}})", own).status == 403);
        CHECK(client.post("/v1/schedules/nightly/run", R"({"input":{"n":1}})", admin).status == 201);
    }

    TEST_CASE("a token that is limited to a part of an organisation has no schedules") {
        RunningServer server;
        const auto home = key_line(server, Role::admin, {"north", "h1", ""});
        const auto subject = key_line(server, Role::admin, {"", "", "anna"});
        HttpClient client{server.start()};
        for (const auto& key : {home, subject}) {
            CHECK(client.get("/v1/schedules", key).status == 403);
            CHECK(client.post("/v1/schedules", kNightly, key).status == 403);
            CHECK(client.get("/v1/schedules/nightly", key).status == 403);
            CHECK(client.post("/v1/schedules/preview", kNightly, key).status == 403);
        }
        const auto narrowed = client.get("/v1/schedules?home_id=h1");
        CHECK(narrowed.status == 400);
        CHECK(detail(narrowed) == "schedules belong to organisations: only org_id narrows them");
    }

    TEST_CASE("a host without schedules says so, and a database that is away is 503") {
        RunningServer without;
        without.has_schedules = false;
        HttpClient stranger{without.start()};
        const auto none = stranger.get("/v1/schedules");
        CHECK(none.status == 503);
        CHECK(detail(none) == "this host has no schedules");
        CHECK(stranger.get("/v1/runs").status == 503);
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.post("/v1/schedules", kNightly).status == 201);
        server.schedules.fail_with(core::Errc::database_unavailable);
        CHECK(client.get("/v1/schedules").status == 503);
        CHECK(client.get("/v1/schedules/nightly").status == 503);
        CHECK(client.post("/v1/schedules", definition("b")).status == 503);
        CHECK(client.request("PUT", "/v1/schedules/nightly", kNightly).status == 503);
        CHECK(client.request("DELETE", "/v1/schedules/nightly").status == 503);
        CHECK(client.get("/v1/schedules/nightly/dependents").status == 503);
    }
}
