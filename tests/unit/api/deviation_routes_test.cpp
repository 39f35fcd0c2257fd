#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using nlohmann::json;
using testing::at;
using testing::HttpClient;
using testing::RunningServer;

namespace {

core::Deviation row(const std::string& rule_id, core::Severity severity, const std::string& org = "default") {
    core::Deviation d;
    d.rule_id = rule_id;
    d.scope.org_id = org;
    d.finding.severity = severity;
    d.finding.title = "Ingen \"bevegelse\"";
    d.finding.explanation = "Ingen bevegelse\npå badet.";
    d.finding.evidence = R"({"event_ids":["e-1","e-2"],"room":"bath"})";
    d.finding.window = {at("2026-01-15T11:00:00Z"), at("2026-01-15T12:00:00Z")};
    d.finding.timestamp = at("2026-01-15T12:00:00Z");
    d.started_at = at("2026-01-15T11:30:00Z");
    d.last_seen_at = at("2026-01-15T11:59:00.5Z");
    return d;
}

}  // namespace

TEST_SUITE("deviation routes") {
    TEST_CASE("a row has the keys of the reference, in its order, then those of its home and its life") {
        RunningServer server;
        server.deviations.put(row("R-001", core::Severity::high));
        HttpClient client{server.start()};
        const auto answer = client.get("/deviations");
        CHECK(answer.status == 200);
        CHECK(answer.body ==
              R"([{"deviation_id":1,"rule_id":"R-001","status":"OPEN","severity":"HIGH","title":"Ingen \"bevegelse\"",)"
              R"("explanation":"Ingen bevegelse\npå badet.","timestamp":"2026-01-15T12:00:00Z",)"
              R"("started_at":"2026-01-15T11:30:00Z",)"
              R"("last_seen_at":"2026-01-15T11:59:00.500000Z","subject_key":"default",)"
              R"("evidence":{"event_ids":["e-1","e-2"],"room":"bath"},"evidence_event_ids":["e-1","e-2"],)"
              R"("window":{"since":"2026-01-15T11:00:00Z","until":"2026-01-15T12:00:00Z"},)"
              R"("org_id":"default","home_id":"default","subject_id":"default","episode":1,"ack":null,)"
              R"("closed_at":null,"close_reason":""}])");
    }

    TEST_CASE("evidence that is a list is its own list of event ids, evidence without one has none") {
        RunningServer server;
        auto list = row("R-001", core::Severity::high);
        list.finding.evidence = R"(["a"])";
        server.deviations.put(list);
        auto none = row("R-002", core::Severity::low);
        none.finding.evidence = "{}";
        server.deviations.put(none);
        HttpClient client{server.start()};
        const auto body = json::parse(client.get("/deviations").body);
        CHECK(body[0]["evidence_event_ids"] == json{"a"});
        CHECK(body[1]["evidence_event_ids"] == json::array());
    }

    TEST_CASE("the list is sorted by severity and filtered by status, subject, rule and number") {
        RunningServer server;
        server.deviations.put(row("R-001", core::Severity::low));
        server.deviations.put(row("R-002", core::Severity::critical));
        auto closed = row("R-003", core::Severity::medium);
        closed.status = core::DeviationStatus::closed;
        closed.subject_key = "kari";
        server.deviations.put(closed);
        HttpClient client{server.start()};
        const auto rules = [&](const std::string& query) {
            std::string found;
            for (const auto& one : json::parse(client.get("/v1/deviations" + query).body))
                found += one["rule_id"].get<std::string>() + " ";
            return found;
        };
        CHECK(rules("") == "R-002 R-003 R-001 ");
        CHECK(rules("?status=CLOSED") == "R-003 ");
        CHECK(rules("?status=OPEN&limit=1") == "R-002 ");
        CHECK(rules("?subject_key=kari") == "R-003 ");
        CHECK(rules("?rule_id=R-001") == "R-001 ");
    }

    TEST_CASE("a query value that cannot be read is a 400 that names it") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(json::parse(client.get("/deviations?status=open").body)["detail"] == "status must be OPEN, ACK or CLOSED");
        CHECK(json::parse(client.get("/deviations?limit=501").body)["detail"] == "limit must be a number from 1 to 500");
        CHECK(client.get("/deviations?status=").status == 400);
    }

    TEST_CASE("an operator acknowledges and closes") {
        RunningServer server;
        const auto id = std::to_string(server.deviations.put(row("R-001", core::Severity::high)));
        HttpClient client{server.start()};
        const auto acked =
            client.patch("/deviations/" + id, R"({"status":"ACK","comment":"looked in","until":"2026-01-16T08:00:00Z"})");
        CHECK(acked.status == 200);
        CHECK(json::parse(acked.body)["status"] == "ACK");
        auto stored = server.deviations.rows().at(0);
        CHECK(stored.status == core::DeviationStatus::ack);
        CHECK(stored.ack_by == "local");
        CHECK(stored.ack_comment == "looked in");
        CHECK(stored.ack_until == at("2026-01-16T08:00:00Z"));
        CHECK(json::parse(client.patch("/v1/deviations/" + id, R"({"status":"CLOSED"})").body)["status"] == "CLOSED");
        stored = server.deviations.rows().at(0);
        CHECK(stored.close_reason == "operator");
        CHECK(stored.closed_at == server.clock.now());
        CHECK(server.log.count("deviation_changed") == 2);
    }

    TEST_CASE("an empty change and the same status change nothing") {
        RunningServer server;
        const auto id = std::to_string(server.deviations.put(row("R-001", core::Severity::high)));
        HttpClient client{server.start()};
        CHECK(client.patch("/deviations/" + id, "{}").status == 200);
        CHECK(client.patch("/deviations/" + id, R"({"status":"OPEN"})").status == 200);
        CHECK(server.log.count("deviation_changed") == 0);
    }

    TEST_CASE("what is not allowed is refused with the status that says why") {
        RunningServer server;
        auto closed = row("R-001", core::Severity::high);
        closed.status = core::DeviationStatus::closed;
        const auto id = "/deviations/" + std::to_string(server.deviations.put(closed));
        HttpClient client{server.start()};
        CHECK(client.patch(id, R"({"status":"OPEN"})").status == 409);
        CHECK(client.patch(id, R"({"status":"ACK"})").status == 409);
        const auto invalid = client.patch(id, R"({"status":"GONE"})");
        CHECK(invalid.status == 400);
        CHECK(json::parse(invalid.body)["detail"] == "Invalid status");
        CHECK(client.patch(id, R"({"status":1})").status == 400);
        const auto missing = client.patch("/deviations/999", R"({"status":"ACK"})");
        CHECK(missing.status == 404);
        CHECK(json::parse(missing.body)["detail"] == "Deviation not found");
        CHECK(client.patch(id, "{").status == 400);
        CHECK(client.patch(id, "[]").status == 422);
        CHECK(client.patch(id, R"({"comment":7})").status == 422);
        CHECK(client.patch(id, R"({"until":"tomorrow"})").status == 422);
        CHECK(client.patch("/deviations/abc", "{}").status == 404);
    }

    TEST_CASE("another tenant's deviation does not exist") {
        RunningServer server;
        const auto id = std::to_string(server.deviations.put(row("R-001", core::Severity::high, "other")));
        server.deviations.put(row("R-002", core::Severity::high, "mine"));
        const auto key = "X-API-Key: " + server.add_token(ports::Role::operator_, {"mine", "", ""}) + "\r\n";
        HttpClient client{server.start()};
        CHECK(client.patch("/deviations/" + id, R"({"status":"ACK"})", key).status == 404);
        const auto body = json::parse(client.get("/deviations", key).body);
        REQUIRE(body.size() == 1);
        CHECK(body[0]["rule_id"] == "R-002");
        CHECK(client.get("/deviations?org_id=other", key).status == 403);
        CHECK(client.get("/deviations?org_id=mine&home_id=h", key).body == "[]");
    }
}

TEST_SUITE("evaluate route") {
    ports::RuleVerdict completed(const std::string& rule_id) {
        core::Completed verdict;
        verdict.outcome = core::Outcome::met;
        verdict.findings.push_back(row(rule_id, core::Severity::medium).finding);
        return {rule_id, verdict};
    }

    TEST_CASE("findings are answered as the reference does, and nothing is kept") {
        RunningServer server;
        server.runs.answer_with(std::vector{completed("R-001"), ports::RuleVerdict{"R-002", core::Completed{}}});
        HttpClient client{server.start()};
        const auto target = "/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00%2B00:00";
        const auto answer = client.get(target);
        CHECK(answer.status == 200);
        auto body = json::parse(answer.body);
        REQUIRE(body.size() == 1);
        const auto id = body[0]["deviation_id"].get<std::string>();
        CHECK(id.size() == 36);
        CHECK(id[14] == '8');
        body[0].erase("deviation_id");
        CHECK(body[0] == json{{"rule_id", "R-001"},
                              {"timestamp", "2026-01-15T12:00:00Z"},
                              {"severity", "MEDIUM"},
                              {"title", "Ingen \"bevegelse\""},
                              {"explanation", "Ingen bevegelse\npå badet."},
                              {"evidence", {{"event_ids", {"e-1", "e-2"}}, {"room", "bath"}}},
                              {"window", {{"since", "2026-01-15T11:00:00Z"}, {"until", "2026-01-15T12:00:00Z"}}}});
        CHECK(client.get(target).body == answer.body);  // the same question has the same ids
        const auto asked = server.runs.asked().at(0);
        CHECK(asked.scope == core::Scope{});
        CHECK(asked.window == core::Window{at("2026-01-15T11:00:00Z"), at("2026-01-15T12:00:00Z")});
        CHECK(server.deviations.rows().empty());
    }

    TEST_CASE("a rule that fails does not fail the answer but is named") {
        RunningServer server;
        core::Failed failed;
        failed.reason = core::FailureReason::deadline;
        failed.message = "took 2000 ms";
        server.runs.answer_with(
            std::vector{completed("R-001"), ports::RuleVerdict{"R-004", failed}, ports::RuleVerdict{"R-005", failed}});
        HttpClient client{server.start()};
        const auto answer = client.get("/v1/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00Z");
        CHECK(answer.status == 200);
        CHECK(answer.header("x-varde-rule-errors") == "R-004=deadline, R-005=deadline");
        CHECK(json::parse(answer.body).size() == 1);
        CHECK(server.log.count("evaluate_rule_error") == 2);
    }

    TEST_CASE("a rule that was not asked is named with the reason: an empty answer is no all-clear") {
        RunningServer server;
        core::Completed nothing;
        nothing.outcome = core::Outcome::unknown;
        server.runs.answer_with(std::vector{completed("R-003"), ports::RuleVerdict{"R-001", nothing, "baseline_not_ready"},
                                            ports::RuleVerdict{"R-005", nothing, "baseline_not_ready"}});
        HttpClient client{server.start()};
        const auto answer = client.get("/v1/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00Z");
        CHECK(answer.status == 200);
        CHECK(answer.header("x-varde-rules-gated") == "R-001=baseline_not_ready, R-005=baseline_not_ready");
        CHECK(json::parse(answer.body).size() == 1);
    }

    TEST_CASE("the question has to make sense") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto detail = [&](const std::string& query) {
            const auto answer = client.get("/deviations/evaluate" + query);
            CHECK(answer.status == 400);
            return json::parse(answer.body)["detail"].get<std::string>();
        };
        CHECK(detail("") == "since is missing");
        CHECK(detail("?since=2026-01-15T11:00:00Z") == "until is missing");
        CHECK(detail("?since=2026-01-15T11:00:00&until=2026-01-15T12:00:00Z") ==
              "since must be timezone-aware UTC (ISO 8601, e.g. 2025-01-01T00:00:00Z)");
        CHECK(detail("?since=2026-01-15T12:00:00Z&until=2026-01-15T12:00:00Z") == "since must be before until");
        CHECK(server.runs.asked().empty());
    }

    TEST_CASE("the scope is the token's, narrowed by the query") {
        RunningServer server;
        const auto key = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "", ""}) + "\r\n";
        HttpClient client{server.start()};
        const std::string window = "/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00Z";
        CHECK(client.get(window, key).status == 200);
        CHECK(client.get(window + "&home_id=h&subject_id=s", key).status == 200);
        CHECK(client.get(window + "&org_id=other", key).status == 403);
        CHECK(server.runs.asked().at(0).scope == core::Scope{"o", "default", "default"});
        CHECK(server.runs.asked().at(1).scope == core::Scope{"o", "h", "s"});
        CHECK(server.runs.asked().size() == 2);
    }

    TEST_CASE("an evaluation that could not be made is an error") {
        RunningServer server;
        server.runs.answer_with(core::fail(core::Errc::database_unavailable, "gone"));
        HttpClient client{server.start()};
        CHECK(client.get("/deviations/evaluate?since=2026-01-15T11:00:00Z&until=2026-01-15T12:00:00Z").status == 503);
    }
}
