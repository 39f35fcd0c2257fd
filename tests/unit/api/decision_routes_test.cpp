#include "unit/api/running_server.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace varde;
using core::DecisionOutcome;
using nlohmann::json;
using testing::at;
using testing::HttpClient;
using testing::RunningServer;

namespace {

core::Decision decided(const std::string& rule_id, const core::Scope& scope, DecisionOutcome outcome, std::string_view first,
                       std::string_view last) {
    core::Decision decision;
    decision.rule_id = rule_id;
    decision.scope = scope;
    decision.outcome = outcome;
    decision.reason = "no event in 180 minutes";
    decision.since = decision.first_at = at(first);
    decision.last_at = decision.asked_at = at(last);
    decision.runs = 3;
    decision.run_id = "run-3";
    return decision;
}

const core::Scope kAnna{"o", "h1", "anna"};
const core::Scope kBent{"o", "h2", "bent"};

/// The ids of the answer, newest first.
std::vector<std::int64_t> ids(const testing::HttpAnswer& answer) {
    std::vector<std::int64_t> found;
    for (const auto& row : json::parse(answer.body)) found.push_back(row.at("decision_id"));
    return found;
}
using Ids = std::vector<std::int64_t>;

/// Four records: ids 1 to 4.
void fill(fakes::DecisionRepository& decisions) {
    decisions.put(std::vector{
        decided("R-001", kAnna, DecisionOutcome::gated, "2026-01-15T08:00:00Z", "2026-01-15T09:00:00Z"),
        decided("R-002", kBent, DecisionOutcome::not_met, "2026-01-15T08:00:00Z", "2026-01-15T12:00:00Z"),
        decided("R-001", kAnna, DecisionOutcome::met, "2026-01-15T09:05:00Z", "2026-01-15T10:00:00Z"),
        decided("R-001", kBent, DecisionOutcome::met, "2026-01-15T11:00:00Z", "2026-01-15T12:00:00Z"),
    });
}

}  // namespace

TEST_SUITE("decision routes") {
    TEST_CASE("an explanation joins what is on record with what the rule says when it is asked again") {
        RunningServer server;
        fill(server.decisions);
        server.rules->rules["R-001"] = {};
        ports::ExplainedRule rule;
        rule.params = R"({"most":3})";
        rule.enabled = false;
        rule.mode = core::MonitorMode::test;
        core::Completed answer;
        answer.outcome = core::Outcome::met;
        answer.steps = {{core::Step::Kind::held, "no event is active"}};
        rule.answer = answer;
        server.runs.explain_with(rule);
        core::Deviation row;
        row.rule_id = "R-001";
        row.scope = kAnna;
        row.started_at = at("2026-01-15T09:05:00Z");
        server.deviations.put(row);
        HttpClient client{server.start()};
        const auto got =
            client.get("/v1/decisions/explain?rule_id=R-001&org_id=o&home_id=h1&subject_id=anna&at=2026-01-15T09:30:00Z");
        REQUIRE(got.status == 200);
        const auto body = json::parse(got.body);
        CHECK(body["at"] == "2026-01-15T09:30:00Z");
        CHECK(body["decision"]["outcome"] == "met");
        CHECK(body["params"] == json{{"most", 3}});
        CHECK(body["enabled_in_scheduler"] == false);
        CHECK(body["monitor_mode"] == "TEST");
        CHECK(body["gating"]["evaluation_truth"] == "FULLY_EVALUATED");
        CHECK(body["deviations"].size() == 1);
        CHECK(body["asked_again"]["outcome"] == "met");
        CHECK(body["asked_again"]["steps"] == json::array({{{"kind", "held"}, {"text", "no event is active"}}}));
    }

    TEST_CASE("a question for an explanation that cannot be answered says why") {
        RunningServer server;
        HttpClient client{server.start()};
        CHECK(client.get("/v1/decisions/explain").status == 400);
        CHECK(client.get("/v1/decisions/explain?rule_id=R-001&at=noon").status == 400);
        server.runs.explain_with(core::fail(core::Errc::not_found, "rules.yaml has no rule R-009"));
        const auto missing = client.get("/v1/decisions/explain?rule_id=R-009");
        CHECK(missing.status == 404);
        CHECK(missing.body.find("rules.yaml has no rule R-009") != std::string::npos);
        server.runs.explain_with(core::fail(core::Errc::stopping, "the host is going down"));
        CHECK(client.get("/v1/decisions/explain?rule_id=R-001").status == 503);
    }

    TEST_CASE("a decision says what was decided, why, since when and by which run") {
        RunningServer server;
        auto row = decided("R-001", kAnna, DecisionOutcome::met, "2026-01-15T09:00:00Z", "2026-01-15T10:00:00Z");
        row.since = at("2026-01-14T09:00:00Z");
        server.decisions.put(std::vector{row});
        HttpClient client{server.start()};
        const auto answer = client.get("/v1/decisions");
        CHECK(answer.status == 200);
        CHECK(json::parse(answer.body) == json::array({{{"decision_id", 1},
                                                        {"rule_id", "R-001"},
                                                        {"org_id", "o"},
                                                        {"home_id", "h1"},
                                                        {"subject_id", "anna"},
                                                        {"outcome", "met"},
                                                        {"reason", "no event in 180 minutes"},
                                                        {"since", "2026-01-14T09:00:00Z"},
                                                        {"first_at", "2026-01-15T09:00:00Z"},
                                                        {"last_at", "2026-01-15T10:00:00Z"},
                                                        {"asked_at", "2026-01-15T10:00:00Z"},
                                                        {"runs", 3},
                                                        {"run_id", "run-3"},
                                                        {"changed", false}}}));
    }

    TEST_CASE("decisions come newest first, page by page") {
        RunningServer server;
        fill(server.decisions);
        HttpClient client{server.start()};
        CHECK(ids(client.get("/v1/decisions")) == Ids{4, 3, 2, 1});
        CHECK(ids(client.get("/decisions?limit=2")) == Ids{4, 3});
        CHECK(ids(client.get("/v1/decisions?limit=2&before=3")) == Ids{2, 1});
        CHECK(ids(client.get("/v1/decisions?before=1")).empty());
    }

    TEST_CASE("rule, outcome, home and time narrow the list") {
        RunningServer server;
        fill(server.decisions);
        HttpClient client{server.start()};
        CHECK(ids(client.get("/v1/decisions?rule_id=R-002")) == Ids{2});
        CHECK(ids(client.get("/v1/decisions?outcome=met")) == Ids{4, 3});
        CHECK(ids(client.get("/v1/decisions?org_id=o&home_id=h1")) == Ids{3, 1});
        CHECK(ids(client.get("/v1/decisions?subject_id=bent&outcome=gated")).empty());
        CHECK(ids(client.get("/v1/decisions?since=2026-01-15T10:00:00Z")) == Ids{4, 3, 2});
        CHECK(ids(client.get("/v1/decisions?until=2026-01-15T09:05:00Z")) == Ids{2, 1});
        CHECK(ids(client.get("/v1/decisions?since=2026-01-15T09:30:00Z&until=2026-01-15T10:30:00Z")) == Ids{3, 2});
    }

    TEST_CASE("a value that cannot be right is refused in words") {
        RunningServer server;
        HttpClient client{server.start()};
        const auto refused = [&](const char* target) {
            const auto answer = client.get(target);
            CHECK(answer.status == 400);
            return json::parse(answer.body)["detail"].get<std::string>();
        };
        CHECK(refused("/v1/decisions?outcome=maybe") ==
              "outcome must be met, not_met, no_data, unknown, gated, skipped or error");
        for (const auto* target : {"/v1/decisions?before=0", "/v1/decisions?before=-1", "/v1/decisions?before=x",
                                   "/v1/decisions?before=", "/v1/decisions?before=1234567890123456789"})
            CHECK(refused(target) == "before must be the decision_id of the last decision seen");
        CHECK(refused("/v1/decisions?since=yesterday").find("since") != std::string::npos);
        CHECK(refused("/v1/decisions?limit=1001").find("limit") != std::string::npos);
    }

    TEST_CASE("a token sees the decisions of its scope only") {
        RunningServer server;
        fill(server.decisions);
        const auto anna = "X-API-Key: " + server.add_token(ports::Role::viewer, {"o", "h1", ""}) + "\r\n";
        HttpClient client{server.start()};
        CHECK(ids(client.get("/v1/decisions", anna)) == Ids{3, 1});
        CHECK(client.get("/v1/decisions?home_id=h2", anna).status == 403);
    }

    TEST_CASE("a database that is away is a 503") {
        RunningServer server;
        server.decisions.fail_with(core::Errc::database_unavailable);
        HttpClient client{server.start()};
        CHECK(client.get("/v1/decisions").status == 503);
    }
}
