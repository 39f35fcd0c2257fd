#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::at;
using testing::HttpClient;
using testing::RunningServer;

namespace {

std::string id_of(int number) { return "0000000" + std::to_string(number) + "-0000-4000-8000-000000000000"; }

core::Incident incident_of(int number, const std::string& rule_id, const core::Scope& scope) {
    core::Incident incident;
    incident.incident_id = id_of(number);
    incident.at = at("2026-01-15T12:00:00Z") + std::chrono::seconds{number};
    incident.last_at = incident.at + std::chrono::minutes{1};
    incident.rule_id = rule_id;
    incident.scope = scope;
    incident.repeats = 4;
    incident.failure.reason = core::FailureReason::exited;
    incident.failure.message = "the rule ended its process with exit code 3";
    incident.failure.exit_code = 3;
    return incident;
}

/// 1: R-001 of org a, 2: R-002 of org b, 3: R-001 of no home.
void fill(RunningServer& server) {
    (void)server.incidents.add(incident_of(1, "R-001", {"a", "h", "s"}), 100);
    (void)server.incidents.add(incident_of(2, "R-002", {"b", "h", "s"}), 100);
    auto loading = incident_of(3, "R-001", {"", "", ""});
    core::Evidence evidence;
    evidence.path = "plugins/R-001.so";
    evidence.version = "1.0.0";
    evidence.sha256 = "aa11";
    evidence.frames = {{"R-001.so", 16, ""}};
    evidence.breaker = "quarantined";
    evidence.out_until = at("2026-01-15T12:00:32Z");
    loading.failure.evidence = std::make_shared<const core::Evidence>(evidence);
    (void)server.incidents.add(loading, 100);
}

std::string numbers(const std::string& body) {
    std::string text;
    for (const auto& one : json::parse(body)) text += one["incident_id"].get<std::string>().substr(7, 1);
    return text;
}

std::string key(const std::string& secret) { return "X-API-Key: " + secret + "\r\n"; }

}  // namespace

TEST_SUITE("incident routes") {
    TEST_CASE("incidents come newest first, by rule, page by page") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        CHECK(numbers(client.get("/v1/incidents").body) == "321");
        CHECK(numbers(client.get("/v1/incidents?rule_id=R-001").body) == "31");
        CHECK(numbers(client.get("/v1/incidents?org_id=b").body) == "2");
        CHECK(numbers(client.get("/v1/incidents?limit=2").body) == "32");
        CHECK(numbers(client.get("/v1/incidents?limit=2&before=" + id_of(2)).body) == "1");
        CHECK(numbers(client.get("/v1/incidents?before=00000001").body).empty());
    }

    TEST_CASE("a list shows what an operator looks for first, one incident shows everything") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        const auto brief = json::parse(client.get("/v1/incidents?limit=1").body)[0];
        const auto expected = json::parse(R"({"incident_id": "00000003-0000-4000-8000-000000000000", "rule_id": "R-001",
            "at": "2026-01-15T12:00:03Z", "last_at": "2026-01-15T12:01:03Z", "repeats": 4, "scope": null, "reason": "exited",
            "phase": "evaluate", "message": "the rule ended its process with exit code 3", "exit_code": 3,
            "plugin": {"version": "1.0.0", "sha256": "aa11"},
            "breaker": {"state": "quarantined", "until": "2026-01-15T12:00:32Z"}})");
        CHECK(brief == expected);
        auto whole = expected;
        whole["plugin"]["path"] = "plugins/R-001.so";
        whole["frames"] = {"R-001.so+0x10"};
        CHECK(json::parse(client.get("/v1/incidents/" + id_of(3)).body) == whole);
        CHECK(json::parse(client.get("/incidents/00000003").body) == whole);
        CHECK(json::parse(client.get("/v1/incidents/00000001").body)["scope"] ==
              json{{"org_id", "a"}, {"home_id", "h"}, {"subject_id", "s"}});
    }

    TEST_CASE("a query that makes no sense is named") {
        RunningServer server;
        fill(server);
        HttpClient client{server.start()};
        for (const auto& [query, names] :
             {std::pair{"limit=501", "limit"}, {"before=ffffffff", "before"}, {"rule_id=", "rule_id"}}) {
            const auto answer = client.get(std::string{"/v1/incidents?"} + query);
            CHECK(answer.status == 400);
            CHECK(json::parse(answer.body)["detail"].get<std::string>().starts_with(names));
        }
        CHECK(client.get("/v1/incidents/ffffffff").status == 404);
        CHECK(client.get("/v1/incidents/1").status == 404);
        CHECK(client.get("/v1/incidents/0000/0001").status == 404);
        CHECK(client.get("/v1/incidents/%2e%2e").status == 404);
    }

    TEST_CASE("nothing outside of a token's scope exists for it, nor what is about no home") {
        RunningServer server;
        fill(server);
        const auto mine = key(server.add_token(ports::Role::viewer, {"a", "", ""}));
        HttpClient client{server.start()};
        CHECK(numbers(client.get("/v1/incidents", mine).body) == "1");
        CHECK(client.get("/v1/incidents/" + id_of(1), mine).status == 200);
        CHECK(client.get("/v1/incidents/" + id_of(2), mine).status == 404);
        CHECK(client.get("/v1/incidents/" + id_of(3), mine).status == 404);
        CHECK(client.get("/v1/incidents?before=" + id_of(3), mine).status == 400);
        CHECK(client.get("/v1/incidents?org_id=b", mine).status == 403);
    }

    TEST_CASE("what the worker wrote, perhaps of other homes, is for tokens of all scopes") {
        RunningServer server;
        core::Incident incident;
        incident.incident_id = id_of(7);
        incident.rule_id = "R-001";
        incident.scope = {"a", "h", "s"};
        incident.failure.reason = core::FailureReason::aborted;
        incident.failure.message = "SIGABRT: abort(); stderr: h2 opened its door";
        core::Evidence evidence;
        evidence.stderr_tail = "h2 opened its door";
        evidence.bundle = "incidents/7";
        incident.failure.evidence = std::make_shared<const core::Evidence>(evidence);
        (void)server.incidents.add(incident, 100);
        const auto mine = key(server.add_token(ports::Role::viewer, {"a", "", ""}));
        HttpClient client{server.start()};
        const auto limited = json::parse(client.get("/v1/incidents/" + id_of(7), mine).body);
        CHECK(limited["message"] == "SIGABRT: abort()");
        CHECK_FALSE(limited.contains("stderr"));
        CHECK_FALSE(limited.contains("bundle"));
        CHECK(json::parse(client.get("/v1/incidents", mine).body)[0]["message"] == "SIGABRT: abort()");
        const auto whole = json::parse(client.get("/v1/incidents/" + id_of(7)).body);
        CHECK(whole["message"] == "SIGABRT: abort(); stderr: h2 opened its door");
        CHECK(whole["stderr"] == "h2 opened its door");
        CHECK(whole["bundle"] == "incidents/7");
    }

    TEST_CASE("without its database the host says to come back") {
        RunningServer server;
        server.incidents.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        CHECK(client.get("/v1/incidents").status == 503);
        CHECK(client.get("/v1/incidents/00000001").status == 503);
        CHECK(client.get("/v1/incidents?before=00000001").status == 503);
    }
}

TEST_SUITE("releasing a rule") {
    TEST_CASE("an admin releases a rule; a second time there is nothing to release") {
        RunningServer server;
        server.rules->rules["R-001"] = {};
        core::BreakerRecord breaker;
        breaker.rule_id = "R-001";
        breaker.state = core::BreakerState::quarantined;
        (void)server.incidents.save(breaker);
        HttpClient client{server.start()};
        const auto answer = client.post("/v1/rules/R-001/release", "{}");
        CHECK(answer.status == 200);
        CHECK(json::parse(answer.body) == json{{"rule_id", "R-001"}, {"released", true}});
        CHECK_FALSE(server.incidents.breaker("R-001").has_value());
        CHECK(json::parse(client.post("/v1/rules/R-001/release", "").body)["released"] == false);
        CHECK(server.log.count("rule_released") == 2);
        CHECK(std::get<std::string>(server.log.entries().back().fields.at("by")) == "local");
    }

    TEST_CASE("a rule is known to rules.yaml, to the plugins or to the database; another is a 404") {
        RunningServer server;
        (void)server.rule_rows.ensure({"R-002"}, server.clock.now());
        server.runs.set_rule_states({{"R-003", false, false, "", "", "", {}}});
        HttpClient client{server.start()};
        CHECK(client.post("/v1/rules/R-002/release", "{}").status == 200);
        CHECK(client.post("/v1/rules/R-003/release", "{}").status == 200);
        CHECK(client.post("/v1/rules/R-004/release", "{}").status == 404);
        CHECK(client.post("/v1/rules//release", "{}").status == 404);
        const auto wrong = client.get("/v1/rules/R-002/release");
        CHECK(wrong.status == 405);
        CHECK(wrong.header("allow") == "POST");
        server.rule_rows.fail_with(core::Errc::database_unavailable);
        CHECK(client.post("/v1/rules/R-002/release", "{}").status == 503);
    }

    TEST_CASE("it takes an admin of all scopes") {
        RunningServer server;
        server.rules->rules["R-001"] = {};
        const auto operator_key = key(server.add_token(ports::Role::operator_));
        const auto limited = key(server.add_token(ports::Role::admin, {"a", "", ""}));
        const auto admin = key(server.add_token(ports::Role::admin));
        HttpClient client{server.start()};
        CHECK(client.post("/v1/rules/R-001/release", "{}", operator_key).status == 403);
        CHECK(client.post("/v1/rules/R-001/release", "{}", limited).status == 403);
        CHECK(client.post("/v1/rules/R-001/release", "{}", admin).status == 200);
    }
}
