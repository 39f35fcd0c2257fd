#include "hostile/engine_fixture.hpp"

// What a rule asks of the host by name, and the host of a rule: state, explanation, self-test.
using namespace hostile;
using core::FailureReason;

namespace {

ports::Evaluation with_state(std::string state, bool explain = false, const core::Scope& scope = {}) {
    auto asked = last_hour("remembers", scope);
    if (!state.empty()) asked.state = std::make_shared<const std::string>(std::move(state));
    asked.explain = explain;
    return asked;
}

struct Remembering : Bench {
    Remembering() { REQUIRE_FALSE(use({"remembers_1"}).at(0).has_value()); }
    core::Completed ask(std::string state, bool explain = false) {
        return completed(judge({with_state(std::move(state), explain)}).at(0));
    }
};

std::string title(const core::Completed& answer) { return answer.findings.empty() ? "" : answer.findings.front().title; }

}  // namespace

TEST_CASE("a rule finds what it kept, and its answer says what to keep next") {
    Remembering rule;
    const auto first = rule.ask("");
    CHECK(title(first) == "version 1, evaluation 1");
    CHECK(first.state == "1");
    const auto later = rule.ask("41");
    CHECK(title(later) == "version 1, evaluation 42");
    CHECK(later.state == "42");
}

TEST_CASE("a rule that wants to forget keeps an empty text") {
    Remembering rule;
    CHECK(rule.ask("=forget").state == "");
}

TEST_CASE("a state is any bytes, up to 64 KiB, also for more evaluations than one request holds") {
    Remembering rule;
    std::string bytes(wire::max_state_bytes, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    bytes.front() = '=';
    std::vector<ports::Evaluation> asked(40, with_state(bytes));
    const auto verdicts = rule.judge(asked);
    const std::string reversed{bytes.rbegin(), bytes.rend()};
    for (const auto& verdict : verdicts) CHECK((completed(verdict).state == reversed));
}

TEST_CASE("more than 64 KiB is refused, and what was kept stays") {
    Remembering rule;
    const auto why = failed(rule.judge({with_state("=too large")}).at(0));
    CHECK(why.reason == FailureReason::rule_error);
    CHECK(why.message.find("65537") != std::string::npos);
    CHECK(title(rule.ask("7")) == "version 1, evaluation 8");
}

TEST_CASE("steps are taken only when they are asked for, at most 256, and change nothing else") {
    Remembering rule;
    const auto plain = rule.ask("3");
    CHECK(plain.steps.empty());
    const auto explained = rule.ask("3", true);
    REQUIRE(explained.steps.size() == wire::max_steps);
    CHECK(explained.steps[0] == core::Step{core::Step::Kind::note, "it kept 1 bytes"});
    CHECK(explained.steps[1] == core::Step{core::Step::Kind::held, "step 0"});
    CHECK(explained.steps[2] == core::Step{core::Step::Kind::failed, "step 1"});
    CHECK(title(explained) == title(plain));
    CHECK(explained.state == plain.state);
}

namespace {

/// Version 1 at work, then the file of another one.
struct Replaced {
    Remembering rule;
    ports::RuleInUse after(const std::string& fixture) {
        rule.engine.configure({spec(fixture)});
        wait_for_trial(rule.engine);
        return rule.engine.in_use().at(0);
    }
};

}  // namespace

TEST_CASE("a version that finds itself unfit is turned down with its own words") {
    Replaced rules;
    const auto use = rules.after("remembers_3");
    CHECK(use.version == "1.0.0");
    REQUIRE(use.candidate_failure.has_value());
    CHECK(use.candidate_failure->reason == FailureReason::selftest_failed);
    CHECK(use.candidate_failure->message == "its own self-test: std::runtime_error: two and two are five");
}

TEST_CASE("a version that dies in its self-test is turned down") {
    Replaced rules;
    const auto use = rules.after("remembers_4");
    CHECK(use.version == "1.0.0");
    REQUIRE(use.candidate_failure.has_value());
    CHECK(use.candidate_failure->reason == FailureReason::selftest_failed);
    CHECK(use.candidate_failure->message.starts_with("its own self-test: aborted"));
    CHECK(use.candidate_failure->phase == core::Phase::load);
}

TEST_CASE("the next version finds what the last one kept") {
    Replaced rules;
    const std::string kept = *rules.rule.ask("5").state;
    CHECK_FALSE(rules.after("remembers_2").candidate_failure.has_value());
    for (int run = 0; run < 4; ++run) {  // three live windows are shown to it beside the old one
        REQUIRE(rules.rule.engine.catch_up(kNow).has_value());
        rules.rule.ask(kept);
    }
    REQUIRE(rules.rule.engine.catch_up(kNow).has_value());
    CHECK(title(rules.rule.ask(kept)) == "version 2, evaluation 7");
}
