#include "wire/answer_rules.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace varde::wire;

TEST_CASE("an outcome and its findings must not contradict each other") {
    CHECK(problem_of_outcome(VARDE_OUTCOME_MET, 1) == nullptr);
    CHECK(problem_of_outcome(VARDE_OUTCOME_MET, 0) != nullptr);
    CHECK(problem_of_outcome(VARDE_OUTCOME_NOT_MET, 1) != nullptr);
    CHECK(problem_of_outcome(VARDE_OUTCOME_NO_DATA, 0) == nullptr);
    CHECK(problem_of_outcome(4, 0) != nullptr);
    CHECK(problem_of_outcome(-1, 0) != nullptr);
}

TEST_CASE("a finding has a known severity and texts of bounded length") {
    CHECK(problem_of_finding(VARDE_LOW, 1, 0) == nullptr);
    CHECK(problem_of_finding(0, 1, 0) != nullptr);
    CHECK(problem_of_finding(VARDE_CRITICAL + 1, 1, 0) != nullptr);
    CHECK(problem_of_finding(VARDE_LOW, 0, 0) != nullptr);
    CHECK(problem_of_finding(VARDE_LOW, 201, 0) != nullptr);
    CHECK(problem_of_finding(VARDE_LOW, 200, 4001) != nullptr);
}

TEST_CASE("evidence nests at most eight deep and closes what it opens") {
    EvidenceShape shape;
    for (int i = 0; i < 8; ++i) CHECK(shape.accept(VARDE_LIST, i == 0 ? 1 : 0, 0, 0, 0) == nullptr);
    CHECK(shape.accept(VARDE_LIST, 0, 0, 0, 0) != nullptr);
    for (int i = 0; i < 8; ++i) {
        CHECK_FALSE(shape.closed());
        CHECK(shape.accept(VARDE_END, 0, 0, 0, 0) == nullptr);
    }
    CHECK(shape.closed());
    CHECK(shape.accept(VARDE_END, 0, 0, 0, 0) != nullptr);
}

TEST_CASE("evidence: keys, rows and reals are checked") {
    EvidenceShape shape;
    CHECK(shape.accept(VARDE_ABSENT, 1, 0, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_BIG_INTEGER, 1, 0, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_INTEGER, 0, 0, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_INTEGER, 201, 0, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_EVENT, 1, 0, 0, 1) == nullptr);
    CHECK(shape.accept(VARDE_EVENT, 1, 1, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_EVENT, 1, -1, 0, 1) != nullptr);
    CHECK(shape.accept(VARDE_REAL, 1, 0, std::numeric_limits<double>::infinity(), 1) != nullptr);
    CHECK(shape.accept(VARDE_LIST, 1, 0, 0, 1) == nullptr);
    CHECK(shape.accept(VARDE_INTEGER, 0, 0, 0, 1) == nullptr);  // no keys inside a list
}
