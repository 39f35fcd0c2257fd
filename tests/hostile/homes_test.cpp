// A rule that some homes have with params of their own: one plugin, one worker, one instance for each different params.
#include "hostile/engine_fixture.hpp"

using namespace hostile;
using core::FailureReason;

namespace {

const core::Scope kFirst{"default", "first", "default"};
const core::Scope kSecond{"default", "second", "default"};

ports::RuleSpec says_word(std::vector<std::string> variants, int version = 1) {
    auto rule = spec("says_word_" + std::to_string(version));
    rule.params = R"({"word":"own"})";
    rule.variants = std::move(variants);
    return rule;
}
ports::Evaluation asked(const core::Scope& scope, std::uint32_t variant) {
    auto evaluation = last_hour("says_word", scope);
    evaluation.variant = variant;
    return evaluation;
}

struct Homes : Bench {
    Homes() {
        const std::vector events{event("f", std::chrono::seconds{50}, "on", kFirst),
                                 event("s", std::chrono::seconds{50}, "on", kSecond)};
        REQUIRE(log.append(events).has_value());
    }
    void use(std::vector<std::string> variants, int version = 1) {
        engine.configure({says_word(std::move(variants), version)});
        REQUIRE(engine.catch_up(kNow).has_value());
    }
    std::string said(const core::Scope& scope, std::uint32_t variant) {
        const auto verdict = judge({asked(scope, variant)}).front();
        if (const auto* failure = std::get_if<core::Failed>(&verdict)) return std::string{core::name_of(failure->reason)};
        const auto& answer = completed(verdict);
        return answer.findings.empty() ? "nothing" : answer.findings.front().title + (answer.carried ? ", carried" : "");
    }
};

}  // namespace

TEST_CASE("each home is judged with its own params, in one worker") {
    Homes homes;
    homes.use({R"({"word":"first"})", R"({"word":"second"})"});
    const auto verdicts = homes.judge({asked({}, 0), asked(kFirst, 1), asked(kSecond, 2)});
    CHECK(completed(verdicts[0]).findings.at(0).title == "own in version 1");
    CHECK(completed(verdicts[1]).findings.at(0).title == "first in version 1");
    CHECK(completed(verdicts[2]).findings.at(0).title == "second in version 1");
    CHECK(children() <= 1 + Bench::settings().spares);
}

TEST_CASE("what a home's params read is seen, also when the rule's own do not") {
    Homes homes;
    auto window = event("w", std::chrono::seconds{30}, "on", kFirst);
    window.category = "window";
    REQUIRE(homes.log.append(std::vector{window}).has_value());
    homes.use({R"({"word":"first","category":"window"})"});
    CHECK(homes.said(kFirst, 1) == "first in version 1");
    CHECK(homes.said(kSecond, 1) == "nothing");
}

TEST_CASE("an answer is carried for the params that it was given with") {
    Homes homes;
    homes.use({R"({"word":"first"})"});
    CHECK(homes.said(kFirst, 1) == "first in version 1");
    CHECK(homes.said(kFirst, 1) == "first in version 1, carried");
    CHECK(homes.said(kFirst, 0) == "own in version 1");
    CHECK(homes.said(kFirst, 1) == "first in version 1");
}

TEST_CASE("a home whose params the rule refuses fails alone, without weight for the rule") {
    Homes homes;
    const auto failures = homes.engine.configure({says_word({R"({"word":"refused"})", R"({"word":"second"})"})});
    CHECK_FALSE(failures.at(0));
    REQUIRE(homes.engine.catch_up(kNow).has_value());
    const auto refused = failed(homes.judge({asked(kFirst, 1)}).front());
    CHECK(refused.reason == FailureReason::not_loaded);
    CHECK(refused.message.find("is no word for me") != std::string::npos);
    CHECK(homes.said({}, 0) == "own in version 1");
    CHECK(homes.said(kSecond, 2) == "second in version 1");
}

TEST_CASE("params that crash the rule when it is made cost their home alone its answers") {
    Homes homes;
    homes.use({R"({"word":"crash"})", R"({"word":"second"})"});
    CHECK(homes.said(kFirst, 1) == "not_loaded");
    CHECK(homes.said({}, 0) == "own in version 1");
    CHECK(homes.said(kSecond, 2) == "second in version 1");
}

TEST_CASE("a variant that nobody configured is judged with the rule's own params") {
    Homes homes;
    homes.use({});
    CHECK(homes.said(kFirst, 7) == "own in version 1");
}

TEST_CASE("other params for homes are in force at the next run, in the same worker") {
    Homes homes;
    homes.use({R"({"word":"first"})"});
    CHECK(homes.said(kFirst, 1) == "first in version 1");
    const int worker = homes.engine.worker_pid("says_word");
    homes.use({R"({"word":"other"})", R"({"word":"first"})"});
    CHECK(homes.said(kFirst, 1) == "other in version 1");
    CHECK(homes.said(kSecond, 2) == "first in version 1");
    CHECK(homes.engine.worker_pid("says_word") == worker);
}

TEST_CASE("200 homes with params of their own are held, made again in a new worker, and replaced by 200 others") {
    Homes homes;
    const auto words = [](const std::string& word) {
        std::vector<std::string> all;
        for (int i = 0; i < 200; ++i) all.push_back(R"({"word":")" + word + std::to_string(i) + "\"}");
        return all;
    };
    homes.use(words("a"));
    CHECK(homes.said(kFirst, 1) == "a0 in version 1");
    CHECK(homes.said(kFirst, 200) == "a199 in version 1");
    REQUIRE(::kill(homes.engine.worker_pid("says_word"), SIGKILL) == 0);
    CHECK(homes.said(kSecond, 100) == "crashed");
    CHECK(homes.said(kSecond, 100) == "a99 in version 1");
    homes.use(words("b"));
    CHECK(homes.said(kFirst, 1) == "b0 in version 1");
    CHECK(homes.said(kFirst, 200) == "b199 in version 1");
}

TEST_CASE("a new version sees live windows of homes with the params of those homes, and takes over") {
    Homes homes;
    homes.use({R"({"word":"first"})"});
    CHECK(homes.said(kFirst, 1) == "first in version 1");
    homes.use({R"({"word":"first"})"}, 2);
    wait_for_trial(homes.engine);
    for (int run = 0; run < 3; ++run) {
        REQUIRE(homes.engine.catch_up(kNow).has_value());
        CHECK(homes.said(kFirst, 1) == "first in version 1");
    }
    REQUIRE(homes.engine.catch_up(kNow).has_value());
    CHECK(homes.said(kFirst, 1) == "first in version 2");
    CHECK(homes.said(kSecond, 0) == "own in version 2");
}

TEST_CASE("a new version that cannot serve a home which is served now is turned down") {
    Homes homes;
    homes.use({R"({"word":"old"})"});
    CHECK(homes.said(kFirst, 1) == "old in version 1");
    homes.use({R"({"word":"old"})"}, 2);
    wait_for_trial(homes.engine);
    for (int run = 0; run < 5; ++run) {
        REQUIRE(homes.engine.catch_up(kNow).has_value());
        CHECK(homes.said(kFirst, 1).starts_with("old in version 1"));
    }
    const auto use = homes.engine.in_use().at(0);
    REQUIRE(use.candidate_failure);
    CHECK(use.candidate_failure->message.find("the params that rules.yaml has for some homes") != std::string::npos);
}
