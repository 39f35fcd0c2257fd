#include "rules/judgements.hpp"

#include "scripted_rules.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace varde;
using rules::EnabledRule;
using rules::Judgements;

namespace {

constexpr core::Instant kNow = core::instant_from_us(1'768'478'400'000'000);

std::vector<EnabledRule> rules_of(std::initializer_list<const char*> ids) {
    std::vector<EnabledRule> rules;
    for (const auto* id : ids) rules.push_back({id, std::chrono::minutes{60}, std::chrono::minutes{60}});
    return rules;
}

}  // namespace

TEST_CASE("judgements of many scopes are asked for in chunks and stay with their scope and rule") {
    std::vector<core::Scope> scopes;
    for (int i = 0; i < 10'000; ++i) scopes.push_back({"org", fmt::format("home-{:05}", i), "s"});
    scripted::Evaluator evaluator;
    evaluator.says("R-002", scopes[9'999], scripted::met(core::Severity::high, "last"));
    evaluator.says("R-001", scopes[0], scripted::failed(core::FailureReason::deadline, "first"));
    Judgements judgements{rules_of({"R-001", "R-002"}), scopes, kNow};
    int asked = 0;
    REQUIRE(judgements.judge(evaluator, rules::RuleStates{}, [&] { return ++asked > 2; }));
    CHECK(asked == 2);
    CHECK(judgements.size() == 20'000);
    CHECK(judgements.failure(0)->message == "first");
    CHECK(judgements.finding(0) == nullptr);
    CHECK(judgements.finding(19'999)->title == "last");
    CHECK(judgements.scope(19'999).home_id == "home-09999");
    CHECK(judgements.rule(19'999).id == "R-002");
    CHECK(judgements.failure(19'999) == nullptr);
    CHECK(judgements.finding(500) == nullptr);
}

TEST_CASE("only met and not_met are answers") {
    scripted::Evaluator evaluator;
    evaluator.says("R-001", scripted::met());
    evaluator.says("R-002", scripted::not_met());
    evaluator.says("R-003", scripted::no_data());
    evaluator.says("R-004", scripted::answered(core::Outcome::unknown));
    evaluator.says("R-005", scripted::failed());
    Judgements judgements{rules_of({"R-001", "R-002", "R-003", "R-004", "R-005"}), {core::Scope{}}, kNow};
    REQUIRE(judgements.judge(evaluator, rules::RuleStates{}, {}));
    CHECK(judgements.has_answer("R-001", {}));
    CHECK(judgements.has_answer("R-002", {}));
    CHECK_FALSE(judgements.has_answer("R-003", {}));
    CHECK_FALSE(judgements.has_answer("R-004", {}));
    CHECK_FALSE(judgements.has_answer("R-005", {}));
    CHECK_FALSE(judgements.has_answer("R-006", {}));
    CHECK_FALSE(judgements.has_answer("R-001", {"other", "h", "s"}));
}

TEST_CASE("without rules or without scopes there is nothing to judge") {
    scripted::Evaluator evaluator;
    Judgements no_rules{{}, {core::Scope{}}, kNow};
    REQUIRE(no_rules.judge(evaluator, rules::RuleStates{}, {}));
    CHECK(no_rules.size() == 0);
    CHECK_FALSE(no_rules.has_answer("R-001", {}));
    Judgements no_scopes{rules_of({"R-001"}), {}, kNow};
    REQUIRE(no_scopes.judge(evaluator, rules::RuleStates{}, {}));
    CHECK_FALSE(no_scopes.has_answer("R-001", {}));
}
