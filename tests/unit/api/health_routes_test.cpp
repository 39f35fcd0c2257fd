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
    server.rules->rules["R-002"] = settings;
    server.runs.set_rule_states({{"R-002", true, true, "1.2.0", "abc", "", {}}});
}

/// With an id of its own.
void store(RunningServer& server, const core::Scope& scope, const std::string& category, core::Instant time,
           const std::string& room = {}) {
    core::Event event;
    event.event_id = "e" + std::to_string(server.events.stored().size());
    event.scope = scope;
    event.category = category;
    event.time = time;
    event.room_id = room;
    REQUIRE(server.events.append({&event, 1}).has_value());
}

std::function<api::IngestHealth()> well() {
    return [] { return api::IngestHealth{0, 100, 0, 0, 0, true}; };
}

}  // namespace

TEST_SUITE("health routes") {
    TEST_CASE("health is open and short") {
        RunningServer server;
        server.settings.require_tokens = true;
        (void)server.add_token(ports::Role::viewer);
        HttpClient client{server.start()};
        CHECK(client.get("/health").body == R"({"status":"ok"})");
        CHECK(client.get("/v1/health").status == 200);
        CHECK(client.get("/health/detail").status == 401);
    }

    TEST_CASE("a token's scope can be asked; what it does not limit is null") {
        RunningServer server;
        server.settings.require_tokens = true;
        const auto limited = "X-API-Key: " + server.add_token(ports::Role::operator_, {"o", "h1", ""}) + "\r\n";
        HttpClient client{server.start()};
        CHECK(client.get("/debug/scope").status == 401);
        const auto answer = client.get("/debug/scope", limited);
        CHECK(json::parse(answer.body) ==
              json{{"org_id", "o"}, {"home_id", "h1"}, {"subject_id", nullptr}, {"role", "operator"}, {"user_id", "operator"}});
        CHECK_FALSE(answer.headers.contains("deprecation"));
    }

    TEST_CASE("the detail tells the last run, the rules, the intake and the database") {
        RunningServer server;
        configure(server);
        ports::RunSummary run;
        run.run_id = "run-1";
        run.finished_at = server.clock.now();
        run.counts.rules_ok = 3;
        server.runs.set_last_run(run);
        server.ingest_health = [] { return api::IngestHealth{5, 100, 7, 1, 2, true}; };
        store(server, {}, "motion", server.clock.now());
        HttpClient client{server.start()};
        const auto body = json::parse(client.get("/health/detail").body);
        CHECK(body["overall_status"] == "OK");
        CHECK(body["reasons"] == json::array());
        const auto& parts = body["components"];
        CHECK(parts["database"]["reachable"] == true);
        CHECK(parts["scheduler"]["last_run"]["run_id"] == "run-1");
        CHECK(parts["scheduler"]["last_run"]["rules_ok"] == 3);
        CHECK(parts["scheduler"]["last_run"]["error"].is_null());
        CHECK(parts["rules"][0]["rule_id"] == "R-002");
        CHECK(parts["ingest"]["queued_events"] == 5);
        CHECK(parts["ingest"]["refused"] == 2);
    }

    TEST_CASE("what is wrong is said in words") {
        RunningServer server;
        server.runs.set_rule_states({{"R-002", true, false, "", "", "create_failed: no such room", {}}});
        HttpClient client{server.start()};
        const auto status = [&] { return json::parse(client.get("/health/detail").body); };
        CHECK(status()["overall_status"] == "DEGRADED");
        CHECK(status()["reasons"][0] == "R-002: create_failed: no such room");
        server.runs.set_enabled(false);
        CHECK(status()["reasons"][0] == "the scheduler is off");
        server.rule_rows.fail_with(core::Errc::database_unavailable);
        const auto body = status();
        CHECK(body["overall_status"] == "ERROR");
        CHECK(body["components"]["database"]["reachable"] == false);
        CHECK(body["reasons"][0] == "the database cannot be reached");
    }

    TEST_CASE("an enabled rule that is out of service degrades the host; one that backs off, or is disabled, does not") {
        RunningServer server;
        ports::RuleState state{"R-002", true, true, "1.2.0", "abc", "", {}};
        state.breaker.state = core::BreakerState::quarantined;
        state.breaker.until = at("2026-01-15T12:00:32Z");
        state.breaker.reason = "deadline: no answer within 50 ms";
        state.breaker.incident_id = "0f0f";
        state.breaker.changed_at = at("2026-01-15T12:00:00Z");
        server.runs.set_rule_states({state});
        HttpClient client{server.start()};
        const auto detail = [&] { return json::parse(client.get("/health/detail").body); };
        CHECK(detail()["overall_status"] == "DEGRADED");
        CHECK(detail()["reasons"] ==
              json::array({"R-002: out of service until 2026-01-15T12:00:32Z: deadline: no answer within 50 ms"}));
        const json breaker{{"state", "quarantined"},
                           {"since", "2026-01-15T12:00:00Z"},
                           {"until", "2026-01-15T12:00:32Z"},
                           {"reason", "deadline: no answer within 50 ms"},
                           {"incident_id", "0f0f"}};
        CHECK(detail()["components"]["rules"][0]["breaker"] == breaker);
        state.breaker.state = core::BreakerState::probing;
        server.runs.set_rule_states({state});
        CHECK(detail()["reasons"][0] == "R-002: out of service while it is tried again: deadline: no answer within 50 ms");
        state.breaker.state = core::BreakerState::backing_off;
        server.runs.set_rule_states({state});
        CHECK(detail()["overall_status"] == "OK");
        state.breaker.state = core::BreakerState::quarantined;
        state.enabled = false;
        server.runs.set_rule_states({state});
        CHECK(detail()["overall_status"] == "OK");
    }

    TEST_CASE("health counts the homes that are known; a home that is new is no trouble, one that nobody counts is") {
        RunningServer server;
        core::BaselineStatus row;
        row.scope = {"o", "h1", "s"};
        row.ready = true;
        row.computed_at = server.clock.now() - std::chrono::hours{36};
        (void)server.baselines.save(row);
        row.scope.home_id = "h2";
        row.ready = false;
        (void)server.baselines.save(row);
        const auto one_home = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "h2", ""}) + "\r\n";
        HttpClient client{server.start()};
        auto detail = json::parse(client.get("/health/detail").body);
        CHECK(detail["overall_status"] == "OK");
        CHECK(detail["components"]["baseline"] == json{{"homes", 2}, {"ready", 1}, {"older_than_36_h", 0}});
        CHECK(json::parse(client.get("/health/detail", one_home).body)["components"]["baseline"]["homes"] == 1);
        row.computed_at -= std::chrono::microseconds{1};
        (void)server.baselines.save(row);
        detail = json::parse(client.get("/health/detail").body);
        CHECK(detail["overall_status"] == "DEGRADED");
        CHECK(detail["reasons"] == json::array({"the baselines of 1 homes are older than 36 h"}));
        server.baselines.fail_with(core::Errc::database_unavailable);
        CHECK(json::parse(client.get("/health/detail").body)["components"]["baseline"].is_null());
    }

    TEST_CASE("a scheduler that stopped running is an error") {
        RunningServer server;
        ports::RunSummary run;
        run.finished_at = server.clock.now() - std::chrono::minutes{4};
        server.runs.set_last_run(run);
        HttpClient client{server.start()};
        CHECK(json::parse(client.get("/health/detail").body)["reasons"][0] == "no run has finished for more than 3 intervals");
    }

    TEST_CASE("an intake that cannot store, or is half full, is said") {
        RunningServer server;
        server.ingest_health = [] { return api::IngestHealth{60, 100, 0, 0, 0, false}; };
        store(server, {}, "motion", server.clock.now());
        HttpClient client{server.start()};
        const auto body = json::parse(client.get("/health/detail").body);
        CHECK(body["components"]["ingest"]["status"] == "ERROR");
        CHECK(body["overall_status"] == "ERROR");
        CHECK(body["reasons"] == json{"events cannot be stored", "the queue of events is more than half full"});
    }

    TEST_CASE("the lag is the age of the newest event; silence degrades the host and is never its error") {
        RunningServer server;
        server.ingest_health = well();
        store(server, {}, "motion", at("2026-01-15T11:45:01Z"));
        HttpClient client{server.start()};
        const auto detail = [&] { return json::parse(client.get("/health/detail").body); };
        auto body = detail();
        CHECK(body["overall_status"] == "OK");
        CHECK(body["components"]["ingest"]["status"] == "OK");
        CHECK(body["components"]["ingest"]["lag_seconds"] == 899);
        CHECK(body["components"]["ingest"]["max_event_ts"] == "2026-01-15T11:45:01Z");
        CHECK(body["components"]["ingest"]["thresholds"] == json{{"degraded_seconds", 900}, {"error_seconds", 7200}});
        server.clock.set(server.clock.now() + std::chrono::seconds{1});
        body = detail();
        CHECK(body["overall_status"] == "DEGRADED");
        CHECK(body["components"]["ingest"]["status"] == "DEGRADED");
        CHECK(body["reasons"] == json::array({"no event for 15 min; the newest is of 2026-01-15T11:45:01Z"}));
        server.clock.set(server.clock.now() + std::chrono::seconds{6'299});
        CHECK(detail()["components"]["ingest"]["status"] == "DEGRADED");
        server.clock.set(server.clock.now() + std::chrono::seconds{1});
        body = detail();
        CHECK(body["overall_status"] == "DEGRADED");
        CHECK(body["components"]["ingest"]["status"] == "ERROR");
        CHECK(body["reasons"] == json::array({"no event for 120 min; the newest is of 2026-01-15T11:45:01Z"}));
    }

    TEST_CASE("an event stamped in the future does not hide that nothing comes any more") {
        RunningServer server;
        server.ingest_health = well();
        store(server, {}, "motion", at("2026-01-15T11:00:00Z"));
        store(server, {}, "motion", at("2026-01-15T12:00:00.000001Z"));
        HttpClient client{server.start()};
        const auto ingest = [&] { return json::parse(client.get("/health/detail").body)["components"]["ingest"]; };
        CHECK(ingest()["lag_seconds"] == 3600);
        CHECK(ingest()["by_category"][0]["lag_seconds"] == 3600);
        CHECK(ingest()["by_category"][0]["n_24h"] == 1);
        server.clock.set(server.clock.now() + std::chrono::seconds{1});
        CHECK(ingest()["lag_seconds"] == 0);
        CHECK(ingest()["by_category"][0]["lag_seconds"] == 0);
        CHECK(ingest()["by_category"][0]["n_24h"] == 2);
    }

    TEST_CASE("a host that has no event yet says so") {
        RunningServer server;
        server.ingest_health = well();
        HttpClient client{server.start()};
        const auto body = json::parse(client.get("/health/detail").body);
        CHECK(body["overall_status"] == "DEGRADED");
        CHECK(body["reasons"] == json::array({"no event has come in yet"}));
        CHECK(body["components"]["ingest"]["status"] == "ERROR");
        CHECK(body["components"]["ingest"]["lag_seconds"].is_null());
        CHECK(body["components"]["ingest"]["max_event_ts"].is_null());
        CHECK(body["components"]["ingest"]["by_category"] == json::array());
    }

    TEST_CASE("categories of the last 24 hours come with the newest first, their lag and how many know their room") {
        RunningServer server;
        server.ingest_health = well();
        store(server, {}, "door", at("2026-01-15T09:00:00Z"), "hall");
        store(server, {}, "door", at("2026-01-15T10:00:00Z"));
        store(server, {}, "motion", at("2026-01-15T11:59:00Z"), "hall");
        store(server, {}, "heartbeat", at("2026-01-14T11:00:00Z"));
        HttpClient client{server.start()};
        const auto ingest = json::parse(client.get("/health/detail").body)["components"]["ingest"];
        CHECK(ingest["by_category"] ==
              json::array({{{"category", "motion"}, {"n_24h", 1}, {"max_ts_24h", "2026-01-15T11:59:00Z"}, {"lag_seconds", 60}},
                           {{"category", "door"}, {"n_24h", 2}, {"max_ts_24h", "2026-01-15T10:00:00Z"}, {"lag_seconds", 7200}}}));
        CHECK(ingest["by_category_complete"] == true);
        CHECK(ingest["room_id_completeness_24h"] == json{{"presence", {{"room_id_empty", 0}, {"room_id_set", 0}, {"total", 0}}},
                                                         {"door", {{"room_id_empty", 1}, {"room_id_set", 1}, {"total", 2}}}});
    }

    TEST_CASE("a token sees the lag and the categories of its scope and no others") {
        RunningServer server;
        server.ingest_health = well();
        store(server, {"o", "h1", "s"}, "motion", at("2026-01-15T10:30:00Z"));
        store(server, {"o", "h2", "s"}, "bed", at("2026-01-15T11:59:00Z"));
        const auto key = [&](const core::ScopeFilter& scope) {
            return "X-API-Key: " + server.add_token(ports::Role::viewer, scope) + "\r\n";
        };
        const auto h1 = key({"o", "h1", ""}), h2 = key({"", "h2", ""}), none = key({"o", "h3", ""}), all = key({});
        HttpClient client{server.start()};
        const auto ingest = [&](const std::string& who) {
            const auto part = json::parse(client.get("/health/detail", who).body)["components"]["ingest"];
            json names = json::array();
            for (const auto& one : part["by_category"]) names.push_back(one["category"]);
            return json{{"lag", part["lag_seconds"]}, {"categories", names}};
        };
        CHECK(ingest(h1) == json{{"lag", 5400}, {"categories", {"motion"}}});
        CHECK(ingest(h2) == json{{"lag", 60}, {"categories", {"bed"}}});
        CHECK(ingest(none) == json{{"lag", nullptr}, {"categories", json::array()}});
        CHECK(ingest(all) == json{{"lag", 60}, {"categories", {"bed", "motion"}}});
    }

    TEST_CASE("without the database there is no lag to tell, and the page still answers") {
        RunningServer server;
        server.ingest_health = well();
        server.events.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        const auto answer = client.get("/health/detail");
        CHECK(answer.status == 200);
        const auto ingest = json::parse(answer.body)["components"]["ingest"];
        CHECK(ingest["status"] == "ERROR");
        CHECK(ingest["lag_seconds"].is_null());
        CHECK(ingest["by_category"].is_null());
        CHECK(ingest["by_category_complete"] == false);
    }

    TEST_CASE("schedules that nobody carries out are an error, jobs that do not stop a blemish; counts are for who sees all") {
        RunningServer server;
        const auto limited = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "", ""}) + "\r\n";
        api::SchedulesHealth health{true, "", "h1", 5, 2, 0, 7, 10, 1, {{"misfire", 3}}, server.clock.now()};
        server.scheduling.health = [&health] { return health; };
        HttpClient client{server.start()};
        const auto asked = [&](const std::string& headers = {}) {
            return json::parse(client.get("/v1/health/detail", headers).body);
        };
        const auto all = asked()["components"]["schedules"];
        CHECK(all["working"] == true);
        CHECK(all["pending"] == 7);
        CHECK(all["left_out"] == json{{"misfire", 3}});
        const auto own = asked(limited)["components"]["schedules"];
        CHECK(own["working"] == true);
        CHECK_FALSE(own.contains("pending"));
        const auto reasons = [&] { return asked()["reasons"].dump(); };
        CHECK(reasons().find("schedules") == std::string::npos);
        health.stuck = 1;
        CHECK(reasons().find("1 jobs did not stop at their run_timeout") != std::string::npos);
        health.last_look -= std::chrono::seconds{11};
        CHECK(reasons().find("no due slots were looked for since") != std::string::npos);
        health.working = false;
        health.problem = "renewing leases: away";
        CHECK(reasons().find("schedules are not carried out: renewing leases: away") != std::string::npos);
        CHECK(asked()["overall_status"] == "ERROR");
    }

    TEST_CASE("a host that carries no schedules out says so, which is no fault") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto detail = json::parse(client.get("/v1/health/detail").body);
        CHECK(detail["components"]["schedules"] == json{{"enabled", false}});
        CHECK(detail["reasons"].dump().find("schedules") == std::string::npos);
    }
}
