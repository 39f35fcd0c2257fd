#include "app/scenario_test.hpp"

#include <doctest/doctest.h>

using namespace varde;

namespace {

app::JudgedFinding found(const std::string& rule_id, core::Severity severity) {
    core::Finding finding;
    finding.severity = severity;
    finding.title = "Ytterdør åpnet på natt";
    finding.explanation = "Sjekk om dette var forventet.";
    finding.evidence = R"({"event_ids":["a1","b2"]})";
    return {rule_id, finding};
}

config::Scenario expecting(std::vector<config::ExpectedDeviation> expected, bool exact = false) {
    config::Scenario scenario;
    scenario.expected = std::move(expected);
    scenario.exact = exact;
    return scenario;
}

config::ExpectedDeviation of_rule(const std::string& rule_id) {
    config::ExpectedDeviation expected;
    expected.rule_id = rule_id;
    return expected;
}

}  // namespace

TEST_CASE("an expectation holds if everything that it names is equal") {
    auto want = of_rule("R-002");
    want.severity = "HIGH";
    want.explanation_contains = "forventet";
    want.evidence_contains = {"b2"};
    CHECK(app::mismatches(expecting({want}), {found("R-002", core::Severity::high)}).empty());
}

TEST_CASE("a field that differs is named with both values") {
    auto want = of_rule("R-002");
    want.severity = "LOW";
    const auto problems = app::mismatches(expecting({want}), {found("R-002", core::Severity::high)});
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("severity: expected 'LOW', got 'HIGH'") != std::string::npos);
}

TEST_CASE("each finding answers one expectation only") {
    CHECK(app::mismatches(expecting({of_rule("R-002"), of_rule("R-002")}), {found("R-002", core::Severity::high)}).size() == 1);
}

TEST_CASE("extra findings matter for an exact scenario alone, and not those of ignored rules") {
    const std::vector two{found("R-002", core::Severity::high), found("R-009", core::Severity::high)};
    CHECK(app::mismatches(expecting({of_rule("R-002")}), two).empty());
    CHECK(app::mismatches(expecting({of_rule("R-002")}, true), two).size() == 1);
    auto lenient = expecting({of_rule("R-002")}, true);
    lenient.ignore_extra_rule_ids = {"R-009"};
    CHECK(app::mismatches(lenient, two).empty());
}
