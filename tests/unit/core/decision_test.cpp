#include "core/decision.hpp"

#include <doctest/doctest.h>

using namespace varde::core;

TEST_CASE("what a worker wrote to its log is no part of a reason: the worker judges other homes too") {
    CHECK(decision_reason("aborted: SIGABRT; stderr: h2 opened its door") == "aborted: SIGABRT");
    CHECK(decision_reason("aborted: SIGABRT") == "aborted: SIGABRT");
}

TEST_CASE("each outcome of a decision has a name that leads back to it") {
    for (const auto outcome : {DecisionOutcome::met, DecisionOutcome::not_met, DecisionOutcome::no_data, DecisionOutcome::unknown,
                               DecisionOutcome::gated, DecisionOutcome::skipped, DecisionOutcome::error})
        CHECK(decision_outcome_from(name_of(outcome)) == outcome);
    CHECK(name_of(DecisionOutcome::met) == "met");
    CHECK(name_of(DecisionOutcome::error) == "error");
    CHECK_FALSE(decision_outcome_from("").has_value());
    CHECK_FALSE(decision_outcome_from("Met").has_value());
}

TEST_CASE("a reason of 500 bytes stays as it is, a longer one is cut and says so") {
    const std::string fits(500, 'a');
    CHECK(decision_reason(fits) == fits);
    CHECK(decision_reason(fits + "a") == std::string(497, 'a') + "...");
    CHECK(decision_reason("").empty());
}

TEST_CASE("a reason is cut between two characters, not inside of one") {
    std::string text;
    while (text.size() < 600) text += "å";
    CHECK(decision_reason("." + text).size() == 500);
    const auto cut = decision_reason(text);
    CHECK(cut.size() == 499);
    CHECK(cut.ends_with("å..."));
}

TEST_CASE("a reason has no NUL") { CHECK(decision_reason({"a\0b", 3}) == "a b"); }

TEST_CASE("a record is a change if its outcome began with it") {
    Decision decision;
    CHECK(decision.is_change());
    decision.first_at += std::chrono::hours{24};
    CHECK_FALSE(decision.is_change());
}
