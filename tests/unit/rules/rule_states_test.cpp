#include "run_fixture.hpp"

using namespace varde;
using scripted::failed;
using scripted::met;
using scripted::not_met;
using scripted::RunFixture;

namespace {

core::Completed keeping(core::Completed answer, std::string state) {
    answer.state = std::move(state);
    return answer;
}
std::string kept(const ports::Evaluation& asked) { return asked.state ? *asked.state : "nothing"; }

}  // namespace

TEST_CASE("what a rule keeps comes back at its next evaluation of the same scope") {
    RunFixture f{"R-001", "R-002"};
    f.evaluator.known_scopes = {{"a", "h", "s"}, {"b", "h", "s"}};
    f.evaluator.says("R-001", {"a", "h", "s"}, keeping(not_met(), "seen 1"));
    f.run();
    f.evaluator.says("R-001", {"a", "h", "s"}, not_met());
    f.run();
    f.run();
    const auto asked = f.evaluator.asked();
    REQUIRE(asked.size() == 12);
    CHECK(kept(asked[0]) == "nothing");
    CHECK(kept(asked[4]) == "seen 1");   // R-001, a
    CHECK(kept(asked[5]) == "nothing");  // R-002, a
    CHECK(kept(asked[6]) == "nothing");  // R-001, b
    CHECK(kept(asked[8]) == "seen 1");   // without a word it stays
}

TEST_CASE("what a rule keeps survives a restart of the host") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", keeping(met(), "seen 1"));
    f.run();
    rules::RuleRun after_restart{{f.evaluator, f.deviations, f.rules, f.baselines, f.modes, f.clock, f.log}};
    after_restart.run(f.config, {"run-2", std::chrono::minutes{5}, {}});
    CHECK(kept(f.evaluator.asked().at(1)) == "seen 1");
}

TEST_CASE("an empty state forgets") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", keeping(not_met(), "seen 1"));
    f.run();
    f.evaluator.says("R-001", keeping(not_met(), ""));
    f.run();
    f.run();
    CHECK(kept(f.evaluator.asked().at(2)) == "nothing");
    CHECK(f.deviations.rule_states().value().empty());
}

TEST_CASE("a failed evaluation changes nothing of what was kept") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", keeping(not_met(), "seen 1"));
    f.run();
    f.evaluator.says("R-001", failed());
    f.run();
    f.run();
    CHECK(kept(f.evaluator.asked().at(2)) == "seen 1");
}

TEST_CASE("a run that is not written keeps nothing new") {
    RunFixture f{"R-001"};
    f.evaluator.says("R-001", keeping(not_met(), "seen 1"));
    f.run();
    f.evaluator.says("R-001", keeping(not_met(), "seen 2"));
    int asked = 0;
    CHECK_FALSE(f.run([&] { return ++asked > 2; }).error.empty());
    f.run();
    CHECK(kept(f.evaluator.asked().back()) == "seen 1");
}

TEST_CASE("a database that cannot be read ends the run, and the next one tries again") {
    RunFixture f{"R-001"};
    f.deviations.fail_with(core::Errc::database_unavailable);
    CHECK_FALSE(f.run().error.empty());
    CHECK(f.evaluator.asked().empty());
    f.deviations.fail_with(std::nullopt);
    CHECK(f.run().error.empty());
    CHECK(f.evaluator.asked().size() == 1);
}
