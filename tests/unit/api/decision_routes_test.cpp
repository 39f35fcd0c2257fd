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
