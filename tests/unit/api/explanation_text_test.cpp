#include "api/explanation_text.hpp"

#include "time/utc_text.hpp"

#include <doctest/doctest.h>

using namespace varde;
using api::Explanation;
using core::DecisionOutcome;

namespace {

core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

core::Deviation open_row() {
    core::Deviation row;
    row.deviation_id = 7;
    row.started_at = at("2026-01-15T10:00:00Z");
    row.last_seen_at = at("2026-01-15T11:55:00Z");
    row.finding.severity = core::Severity::medium;
    row.finding.title = "Ingen bevegelse";
    row.episode = 2;
    return row;
}

/// R-001 met at noon, on record since ten, asked again with the same answer.
Explanation noon() {
    Explanation explanation;
    explanation.rule.asked.rule_id = "R-001";
    explanation.rule.asked.scope = {"org", "home-1", "anna"};
    explanation.rule.asked.window = {at("2026-01-15T09:00:00Z"), at("2026-01-15T12:00:00Z")};
    explanation.rule.asked.now = at("2026-01-15T12:00:00Z");
    core::Completed answer;
    answer.outcome = core::Outcome::met;
    answer.reason = "no event of motion in 180 minutes";
    answer.findings.emplace_back();
    answer.findings[0].severity = core::Severity::medium;
    answer.findings[0].title = "Ingen bevegelse";
    answer.findings[0].evidence = R"({"event_ids":[]})";
    answer.steps = {{core::Step::Kind::note, "0 events"}, {core::Step::Kind::held, "no event is active"}};
    explanation.rule.answer = answer;
    core::Decision decision;
    decision.decision_id = 3;
    decision.rule_id = "R-001";
    decision.scope = explanation.rule.asked.scope;
    decision.outcome = DecisionOutcome::met;
    decision.reason = "no event of motion in 180 minutes";
    decision.since = decision.first_at = at("2026-01-15T10:00:00Z");
    decision.last_at = decision.asked_at = at("2026-01-15T11:55:00Z");
    decision.runs = 24;
    explanation.decision = decision;
    explanation.deviations = {open_row()};
    return explanation;
}

}  // namespace

TEST_CASE("an explanation tells the record, the gating, the deviation and the answer of now") {
    CHECK(explanation_text(noon()) ==
          "R-001 in org/home-1/anna at 2026-01-15T12:00:00Z: met since 2026-01-15T10:00:00Z, in 24 runs of this record up to "
          "2026-01-15T11:55:00Z\n"
          "  reason      no event of motion in 180 minutes\n"
          "  gating      runs ask it about this home (FULLY_EVALUATED)\n"
          "  params      {}\n"
          "  deviation   7: OPEN MEDIUM since 2026-01-15T10:00:00Z, last seen 2026-01-15T11:55:00Z: Ingen bevegelse\n"
          "asked again over the stored events of 2026-01-15T09:00:00Z to 2026-01-15T12:00:00Z, with today's parameters:\n"
          "  outcome     met\n"
          "  reason      no event of motion in 180 minutes\n"
          "  finding     MEDIUM Ingen bevegelse\n"
          "              \n"
          "              {\"event_ids\":[]}\n"
          "  note        0 events\n"
          "  held        no event is active\n");
}

TEST_CASE("what is not there is said, not left out") {
    auto explanation = noon();
    explanation.decision.reset();
    explanation.deviations.clear();
    explanation.rule.answer = core::Completed{};
    const auto text = explanation_text(explanation);
    CHECK(text.find("no decision is recorded") != std::string::npos);
    CHECK(text.find("  deviation   none was active\n") != std::string::npos);
    CHECK(text.find("  reason      the rule gave no reason\n") != std::string::npos);
    CHECK(text.find("  steps       the rule gives none\n") != std::string::npos);
    CHECK(explanation_json(explanation).at("decision").is_null());
}

TEST_CASE("a gated rule, a mode, an old reason and a kept state are named") {
    auto explanation = noon();
    explanation.truth.truth = gating::Truth::not_evaluated;
    explanation.truth.gating_reason = "baseline_not_ready";
    explanation.rule.mode = core::MonitorMode::off;
    explanation.decision->asked_at = at("2026-01-15T10:30:00Z");
    explanation.rule.asked.state = std::make_shared<const std::string>("four");
    const auto text = explanation_text(explanation);
    CHECK(text.find("runs do not ask it about this home: baseline_not_ready (NOT_EVALUATED)") != std::string::npos);
    CHECK(text.find("  mode        OFF in this home\n") != std::string::npos);
    CHECK(text.find("no event of motion in 180 minutes  (of 2026-01-15T10:30:00Z)\n") != std::string::npos);
    CHECK(text.find("today's parameters and the 4 bytes it keeps today:\n") != std::string::npos);
}

TEST_CASE("a failure is told with its reason") {
    auto explanation = noon();
    core::Failed failed;
    failed.reason = core::FailureReason::deadline;
    failed.message = "over 2,000 ms";
    explanation.rule.answer = failed;
    CHECK(explanation_text(explanation).find("  no answer   deadline: over 2,000 ms\n") != std::string::npos);
    const auto json = explanation_json(explanation);
    CHECK(json.at("asked_again").at("error").at("reason") == "deadline");
    CHECK(json.at("asked_again").at("steps").empty());
}

TEST_CASE("as JSON an explanation has the same, by the names of the API") {
    const auto json = explanation_json(noon());
    CHECK(json.at("rule_id") == "R-001");
    CHECK(json.at("at") == "2026-01-15T12:00:00Z");
    CHECK(json.at("scope").at("home_id") == "home-1");
    CHECK(json.at("decision").at("outcome") == "met");
    CHECK(json.at("decision").at("runs") == 24);
    CHECK(json.at("gating").at("evaluation_truth") == "FULLY_EVALUATED");
    CHECK(json.at("monitor_mode") == "ON");
    CHECK(json.at("deviations").at(0).at("status") == "OPEN");
    CHECK(json.at("asked_again").at("outcome") == "met");
    CHECK(json.at("asked_again").at("since") == "2026-01-15T09:00:00Z");
    CHECK(json.at("asked_again").at("state_bytes") == 0);
    CHECK(json.at("asked_again").at("steps").at(1) == nlohmann::json{{"kind", "held"}, {"text", "no event is active"}});
}

TEST_CASE("a deviation was active from its start until it was closed") {
    auto row = open_row();
    CHECK_FALSE(api::was_active(row, at("2026-01-15T09:59:59Z")));
    CHECK(api::was_active(row, at("2026-01-15T10:00:00Z")));
    CHECK(api::was_active(row, at("2026-02-15T10:00:00Z")));
    row.status = core::DeviationStatus::closed;
    row.closed_at = at("2026-01-15T11:00:00Z");
    CHECK(api::was_active(row, at("2026-01-15T10:59:59Z")));
    CHECK_FALSE(api::was_active(row, at("2026-01-15T11:00:00Z")));
}
