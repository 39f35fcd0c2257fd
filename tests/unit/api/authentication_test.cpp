#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace varde;
using nlohmann::json;
using ports::Role;
using testing::HttpClient;
using testing::RunningServer;

TEST_SUITE("authentication") {
    TEST_CASE("a secret comes in X-API-Key or as a bearer token") {
        CHECK(api::secret_of("k", "") == "k");
        CHECK(api::secret_of("k", "Bearer b") == "k");
        CHECK(api::secret_of("", "Bearer b") == "b");
        CHECK(api::secret_of("", "bearer  b") == "b");
        CHECK(api::secret_of("", "Basic dTpw") == "");
        CHECK(api::secret_of("", "B") == "");
        CHECK_FALSE(api::secret_of("", "").has_value());
    }

    TEST_CASE("a token is kept as the SHA-256 of its secret") {
        CHECK(api::token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        CHECK(api::token_hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    TEST_CASE("only this machine's own addresses are loopback") {
        for (const auto* address : {"127.0.0.1", "127.8.9.1", "::1", "localhost"}) CHECK(api::is_loopback(address));
        for (const auto* address : {"0.0.0.0", "::", "192.168.1.7", "128.0.0.1", ""}) CHECK_FALSE(api::is_loopback(address));
    }

    TEST_CASE("an address that others can reach needs a token to start") {
        fakes::TokenRepository tokens;
        CHECK(api::check_exposure("127.0.0.1", false, tokens).has_value());
        const auto open = api::check_exposure("0.0.0.0", false, tokens);
        REQUIRE_FALSE(open.has_value());
        CHECK(open.error().code == core::Errc::config_invalid);
        CHECK(open.error().context.find("http.address 0.0.0.0 can be reached from other machines") == 0);
        CHECK_FALSE(api::check_exposure("127.0.0.1", true, tokens).has_value());
        ports::Token token;
        token.sha256 = "x";
        const auto id = tokens.insert(token).value();
        CHECK(api::check_exposure("0.0.0.0", false, tokens).has_value());
        (void)tokens.revoke(id, core::Instant{});
        CHECK_FALSE(api::check_exposure("0.0.0.0", false, tokens).has_value());
        tokens.fail_with(core::Errc::database_unavailable);
        CHECK(api::check_exposure("0.0.0.0", false, tokens).error().code == core::Errc::database_unavailable);
    }

    TEST_CASE("the server does not start on such an address either") {
        RunningServer with;
        boost::asio::io_context loop;
        api::HttpSettings settings;
        settings.http.address = "0.0.0.0";
        settings.http.port = 0;
        api::Server server{loop, settings, with.services()};
        CHECK(server.start().error().code == core::Errc::config_invalid);
    }

    TEST_CASE("roles: what each may do") {
        struct Row {
            const char* method;
            const char* target;
            const char* body;
            int viewer, operator_, admin;
        };
        const Row rows[] = {
            {"GET", "/events", "", 200, 200, 200},
            {"GET", "/deviations", "", 200, 200, 200},
            {"GET", "/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00Z", "", 200, 200, 200},
            {"GET", "/rules", "", 200, 200, 200},
            {"GET", "/rules/evaluation-truth", "", 200, 200, 200},
            {"GET", "/monitor_modes", "", 200, 200, 200},
            {"GET", "/decisions", "", 200, 200, 200},
            {"POST", "/monitor_modes", R"({"monitor_key":"R-001","mode":"ON"})", 403, 200, 200},
            {"GET", "/health/detail", "", 200, 200, 200},
            {"POST", "/event", "{}", 403, 200, 200},
            {"POST", "/events", "[]", 403, 200, 200},
            {"PATCH", "/deviations/1", "{}", 403, 404, 404},
            {"PATCH", "/rules/1", "{}", 403, 403, 404},
        };
        RunningServer server;
        const auto viewer = "X-API-Key: " + server.add_token(Role::viewer) + "\r\n";
        const auto worker = "Authorization: Bearer " + server.add_token(Role::operator_) + "\r\n";
        const auto admin = "X-API-Key: " + server.add_token(Role::admin) + "\r\n";
        HttpClient client{server.start()};
        for (const auto& row : rows) {
            for (const std::string prefix : {"", "/v1"}) {
                INFO(row.method, " ", prefix, row.target);
                CHECK(client.request(row.method, prefix + row.target, row.body, viewer).status == row.viewer);
                CHECK(client.request(row.method, prefix + row.target, row.body, worker).status == row.operator_);
                CHECK(client.request(row.method, prefix + row.target, row.body, admin).status == row.admin);
                CHECK(client.request(row.method, prefix + row.target, row.body, "X-API-Key: unknown\r\n").status == 401);
                CHECK(client.request(row.method, prefix + row.target, row.body, "Authorization: Basic eDp5\r\n").status == 401);
                const auto local = client.request(row.method, prefix + row.target, row.body);
                CHECK(local.status == row.admin);  // loopback without auth.required
            }
        }
    }

    TEST_CASE("with auth.required nobody comes in without a token") {
        RunningServer server;
        server.settings.require_tokens = true;
        const auto key = "X-API-Key: " + server.add_token(Role::viewer) + "\r\n";
        HttpClient client{server.start()};
        for (const auto* target : {"/events", "/deviations", "/rules", "/health/detail"}) {
            const auto answer = client.get(target);
            CHECK(answer.status == 401);
            CHECK(json::parse(answer.body)["detail"] == "Unauthorized");
            CHECK(answer.header("www-authenticate") == "Bearer");
            CHECK(client.get(target, key).status == 200);
        }
        CHECK(client.post("/event", "{}").status == 401);
        CHECK(server.intake.submissions().empty());
    }

    TEST_CASE("events are written into the token's scope, and read from it") {
        RunningServer server;
        const auto key = "X-API-Key: " + server.add_token(Role::operator_, {"o", "h", ""}) + "\r\n";
        core::Event mine;
        mine.event_id = "mine";
        mine.scope = {"o", "h", "s"};
        core::Event other = mine;
        other.event_id = "other";
        other.scope.home_id = "x";
        (void)server.events.append(std::vector{mine, other});
        HttpClient client{server.start()};
        CHECK(client.post("/event", "{}", key).status == 200);
        CHECK(server.intake.submissions().at(0).context.allowed == core::ScopeFilter{"o", "h", ""});
        const auto body = json::parse(client.get("/events", key).body);
        REQUIRE(body.size() == 1);
        CHECK(body[0]["id"] == "mine");
        CHECK(client.get("/events?home_id=x", key).status == 403);
    }

    TEST_CASE("a good token is asked for once in five seconds, a revoked one works no longer than that") {
        RunningServer server;
        const auto key = "X-API-Key: " + server.add_token(Role::viewer) + "\r\n";
        HttpClient client{server.start()};
        CHECK(client.get("/rules", key).status == 200);
        CHECK(client.get("/rules", key).status == 200);
        CHECK(server.tokens.lookups() == 1);
        (void)server.tokens.revoke(1, server.clock.now());
        server.on_loop([&] { server.clock.set(server.clock.now() + std::chrono::seconds{4}); });
        CHECK(client.get("/rules", key).status == 200);
        server.on_loop([&] { server.clock.set(server.clock.now() + std::chrono::seconds{1}); });
        CHECK(client.get("/rules", key).status == 401);
    }

    TEST_CASE("a clock that is set back does not keep a token alive") {
        time::ManualClock clock{testing::at("2026-01-15T12:00:00Z")};
        api::TokenCache cache{clock, std::chrono::seconds{5}};
        cache.keep("h", {"n", Role::admin, {}});
        CHECK(cache.find("h") != nullptr);
        clock.set(testing::at("2026-01-15T11:00:00Z"));
        CHECK(cache.find("h") == nullptr);
    }

    TEST_CASE("without the database nobody's token can be checked") {
        RunningServer server;
        server.tokens.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        CHECK(client.get("/rules", "X-API-Key: any\r\n").status == 503);
    }
}
