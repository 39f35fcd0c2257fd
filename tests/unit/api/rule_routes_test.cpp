#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::at;
using testing::HttpClient;
using testing::RunningServer;

namespace {

void configure(RunningServer& server) {
    config::RuleSettings settings;
    settings.enabled_in_scheduler = true;
    settings.params = R"({"minutes":30,"rooms":["a"]})";
    server.rules->rules["R-002"] = settings;
    settings.enabled_in_scheduler = false;
    settings.requires_baseline = true;
    server.rules->rules["R-001"] = settings;
    (void)server.rule_rows.ensure({"R-002", "R-900"}, server.clock.now());
    server.runs.set_rule_states(
        {{"R-002", true, true, "1.2.0", "abc", "", {}}, {"R-900", false, false, "", "", "load_failed: no", {}}});
}

}  // namespace

TEST_SUITE("rule routes") {
    TEST_CASE("configured rules come by id, then those that only the database knows") {
        RunningServer server;
        configure(server);
        HttpClient client{server.start()};
        const auto answer = client.get("/rules");
        CHECK(answer.status == 200);
        const auto body = json::parse(answer.body);
        REQUIRE(body.size() == 3);
        CHECK(body[0]["rule_id"] == "R-001");
        CHECK(body[1]["rule_id"] == "R-002");
        CHECK(body[2]["rule_id"] == "R-900");
        CHECK(body[2]["note"] == "db_only");
        CHECK_FALSE(body[0].contains("note"));
        CHECK(body[0]["id"].is_null());
        CHECK(body[0]["created_at"].is_null());
        CHECK(body[0]["severity"] == 2);
        CHECK(body[0]["runtime_status"].is_null());
        CHECK(body[0]["evaluation_truth_config"]["requires_baseline"] == true);
        CHECK(body[0]["evaluation_truth_config"]["requires_profile"].is_null());
        CHECK(body[1]["enabled_in_scheduler"] == true);
        CHECK(body[1]["lookback_minutes"] == 60);
        CHECK(body[1]["expire_after_minutes"] == 60);
        CHECK(body[1]["id"] == 1);
        CHECK(body[1]["is_enabled"] == true);
        CHECK(body[1]["created_at"] == "2026-01-15T12:00:00Z");
        CHECK(body[1]["runtime_status"]["version"] == "1.2.0");
        CHECK(body[1]["runtime_status"]["breaker"].is_null());
        CHECK(body[2]["runtime_status"]["problem"] == "load_failed: no");
        CHECK(body[2]["lookback_minutes"].is_null());
    }

    TEST_CASE("a rule that is not healthy shows its breaker") {
        RunningServer server;
        configure(server);
        ports::RuleState state{"R-002", true, true, "1.2.0", "abc", "", {}};
        state.breaker.state = core::BreakerState::suspect;
        state.breaker.reason = "rule_error: no";
        server.runs.set_rule_states({state});
        HttpClient client{server.start()};
        const auto breaker = json::parse(client.get("/v1/rules").body)[1]["runtime_status"]["breaker"];
        CHECK(breaker["state"] == "suspect");
        CHECK(breaker["until"].is_null());
        CHECK(breaker["reason"] == "rule_error: no");
    }

    TEST_CASE("why a rule failed is told in its own words only to those who may see every home") {
        RunningServer server;
        configure(server);
        ports::RuleState state{"R-002", true, false, "1.2.0", "abc", "rule_error: a door of h2", {}};
        state.breaker.state = core::BreakerState::quarantined;
        state.breaker.until = at("2026-01-15T12:00:32Z");
        state.breaker.reason = "rule_error: a door of h2";
        state.breaker.incident_id = "0f0f";
        server.runs.set_rule_states({state});
        const auto limited = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "h1", ""}) + "\r\n";
        HttpClient client{server.start()};
        const auto rule = json::parse(client.get("/v1/rules", limited).body)[1]["runtime_status"];
        CHECK(rule["problem"] == "rule_error");
        CHECK(rule["breaker"]["reason"] == "rule_error");
        CHECK(rule["breaker"]["incident_id"].is_null());
        CHECK(json::parse(client.get("/v1/rules").body)[1]["runtime_status"]["problem"] == "rule_error: a door of h2");
        const auto health = json::parse(client.get("/v1/health/detail", limited).body);
        CHECK(health["reasons"] ==
              json::array({"R-002: rule_error", "R-002: out of service until 2026-01-15T12:00:32Z: rule_error"}));
        CHECK(health["components"]["rules"][0]["problem"] == "rule_error");
        CHECK(health["components"]["rules"][0]["breaker"]["reason"] == "rule_error");
    }

    TEST_CASE("on which basis the enabled rules judge a home, and that their state says the same") {
        RunningServer server;
        configure(server);
        auto& gated = server.rules->rules["R-001"];
        gated.enabled_in_scheduler = true;
        gated.evaluation_mode = "baseline_dependent";
        const core::Scope home{"o", "h", "s"};
        server.baselines.put(home, true, 5);
        const auto key = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "", ""}) + "\r\n";
        HttpClient client{server.start()};
        const auto known = json::parse(client.get("/v1/rules/evaluation-truth?home_id=h&subject_id=s", key).body);
        CHECK(known["scope"] == json{{"org_id", "o"}, {"home_id", "h"}, {"subject_id", "s"}});
        REQUIRE(known["rules"].size() == 2);
        CHECK(known["rules"][0]["rule_id"] == "R-001");
        CHECK(known["rules"][0]["evaluation_truth"] == "FULLY_EVALUATED");
        CHECK(known["rules"][0]["days_with_data"] == 5);
        CHECK(known["rules"][1]["evaluation_mode"] == "independent");
        CHECK(known["rules"][1]["baseline_ready"].is_null());
        CHECK(known["rules"][1].size() == 14);  // rule_id and the 13 keys of the truth
        const auto unknown = json::parse(client.get("/rules/evaluation-truth", key).body);
        CHECK(unknown["scope"]["home_id"] == "default");
        CHECK(unknown["rules"][0]["gating_reason"] == "baseline_status_missing");
        CHECK(client.get("/rules/evaluation-truth?org_id=other", key).status == 403);
        const auto listed = json::parse(client.get("/rules?home_id=h&subject_id=s", key).body);
        CHECK(listed[0]["runtime_status"]["evaluation_truth"] == "FULLY_EVALUATED");
        CHECK(listed[1]["runtime_status"]["evaluation_truth"] == "FULLY_EVALUATED");
        CHECK(listed[1]["runtime_status"]["version"] == "1.2.0");
        CHECK_FALSE(listed[2]["runtime_status"].contains("evaluation_truth"));
    }

    TEST_CASE("a rule that is switched off has no truth, and without the database nobody knows") {
        RunningServer server;
        configure(server);
        HttpClient client{server.start()};
        CHECK(client.patch("/rules/1", R"({"is_enabled":false})").status == 200);
        CHECK(json::parse(client.get("/rules/evaluation-truth").body)["rules"].empty());
        server.baselines.fail_with(core::Errc::database_unavailable);
        CHECK(client.get("/rules/evaluation-truth").status == 503);
        CHECK(client.get("/rules").status == 503);
    }

    TEST_CASE("the parameters shown are those that runs use") {
        RunningServer server;
        configure(server);
        HttpClient client{server.start()};
        CHECK(client.patch("/rules/1", R"({"params":{"note":"x"}})").status == 200);
        const auto rule = json::parse(client.get("/v1/rules").body)[1];
        CHECK(rule["params"] == json{{"minutes", 30}, {"rooms", {"a"}}});
        CHECK(rule["operator_params"] == json{{"note", "x"}});
    }

    TEST_CASE("an admin changes severity, enabling and parameters; parameters are merged") {
        RunningServer server;
        configure(server);
        HttpClient client{server.start()};
        CHECK(client.patch("/rules/1", R"({"params":{"a":1,"b":2}})").status == 200);
        const auto answer =
            client.patch("/rules/1", R"({"name":"R-002","severity":3,"is_enabled":false,"params":{"b":{"c":1}}})");
        CHECK(answer.status == 200);
        CHECK(json::parse(answer.body) == json{{"id", 1},
                                               {"name", "R-002"},
                                               {"is_enabled", false},
                                               {"rule_type", nullptr},
                                               {"params", {{"a", 1}, {"b", {{"c", 1}}}}},
                                               {"severity", 3},
                                               {"created_at", "2026-01-15T12:00:00Z"}});
        const auto row = server.rule_rows.find(1).value().value();
        CHECK_FALSE(row.is_enabled);
        CHECK(row.severity == 3);
        CHECK(server.log.count("rule_changed") == 2);
    }

    TEST_CASE("what is not valid changes nothing") {
        RunningServer server;
        configure(server);
        HttpClient client{server.start()};
        for (const auto* body : {R"([])", R"({"severity":5})", R"({"severity":"3"})", R"({"is_enabled":1})", R"({"params":[]})",
                                 R"({"name":"R-003"})"}) {
            CHECK(client.patch("/rules/1", body).status == 422);
        }
        CHECK(client.patch("/rules/1", "{").status == 400);
        const auto missing = client.patch("/rules/77", "{}");
        CHECK(missing.status == 404);
        CHECK(json::parse(missing.body)["detail"] == "Rule not found");
        CHECK(server.log.count("rule_changed") == 0);
    }

    TEST_CASE("rules belong to the host: a token of one scope cannot change them") {
        RunningServer server;
        configure(server);
        const auto key = "X-API-Key: " + server.add_token(ports::Role::admin, {"mine", "", ""}) + "\r\n";
        HttpClient client{server.start()};
        CHECK(client.patch("/rules/1", R"({"is_enabled":false})", key).status == 403);
        CHECK(client.get("/rules", key).status == 200);
    }
}
