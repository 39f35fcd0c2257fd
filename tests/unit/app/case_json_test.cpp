#include "app/case_json.hpp"

#include <doctest/doctest.h>

using namespace varde;

namespace {

const std::string kCase = R"({"vector_id":"v1","rule_id":"R-002","params":{"category":"door"},"since":"2026-01-15T08:00:00Z",
"until":"2026-01-15T12:00:00Z","now":"2026-01-15T12:00:00Z",
"scope":{"org_id":"o","home_id":"h","subject_id":"s","subject_key":"k"},
"events":[{"id":"1","timestamp":"2026-01-15T09:00:00Z","category":"door","payload":{"state":1.0},"room_id":null}],
"expected":[{"rule_id":"R-002","severity":"HIGH","title":"t","explanation":"e","evidence":["1"],
"window":{"since":"2026-01-15T08:00:00Z","until":"2026-01-15T12:00:00Z"},"timestamp":"2026-01-15T12:00:00Z"}]})";

core::Completed verdict_for(const app::EvalCase& asked, const std::string& evidence) {
    core::Completed completed;
    completed.outcome = core::Outcome::met;
    completed.findings.push_back({core::Severity::high, "t", "e", evidence, asked.evaluation.window, asked.evaluation.now});
    return completed;
}

}  // namespace

TEST_CASE("a case keeps its scope, its numbers and the order of its events") {
    const auto read = app::read_case(kCase);
    REQUIRE(read.has_value());
    CHECK(read->evaluation.scope == core::Scope{"o", "h", "s"});
    REQUIRE(read->events.size() == 1);
    CHECK(read->events[0].scope == core::Scope{"o", "h", "s"});
    CHECK(read->events[0].payload == R"({"state":1.0})");
    CHECK(read->events[0].room_id.empty());
}

TEST_CASE("an evidence list of a recorded case stands for event_ids") {
    const auto read = app::read_case(kCase);
    REQUIRE(read.has_value());
    CHECK(app::difference(*read, verdict_for(*read, R"({"event_ids":["1"]})")).empty());
    CHECK_FALSE(app::difference(*read, verdict_for(*read, R"({"event_ids":["2"]})")).empty());
    CHECK_FALSE(app::difference(*read, core::Failed{}).empty());
}

TEST_CASE("a failed evaluation is answered with its reason") {
    const auto read = app::read_case(kCase);
    REQUIRE(read.has_value());
    core::Failed failed;
    failed.reason = core::FailureReason::deadline;
    const auto answer = app::answer(*read, failed);
    CHECK(answer["vector_id"] == "v1");
    CHECK(answer["error"]["reason"] == "deadline");
}

TEST_CASE("a case that lacks a key or has an impossible time is refused by the name of the key") {
    for (const auto& [line, key] : {std::pair{R"({"since":"2026-01-15T08:00:00Z"})", "rule_id"},
                                    std::pair{R"({"rule_id":"R-1","since":"2026-04-31T08:00:00Z"})", "since"},
                                    std::pair{R"([1])", "object"}, std::pair{R"({)", "JSON"}}) {
        CAPTURE(line);
        const auto read = app::read_case(line);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().context.find(key) != std::string::npos);
    }
}
