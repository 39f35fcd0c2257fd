// Params of rules.yaml that a rule cannot use: found when the file is loaded, by the rule.yaml beside the plugin or by the rule.
#include "rules/scheduler.hpp"
#include "rules_folder.hpp"
#include "run_fixture.hpp"

using namespace varde;
using namespace std::chrono_literals;

namespace {

constexpr auto kGood = "rules:\n  R-001:\n    enabled_in_scheduler: true\n    params:\n      most: 3\n";
constexpr auto kTooMuch = "rules:\n  R-001:\n    enabled_in_scheduler: true\n    params:\n      most: 30\n";
constexpr auto kOther = "rules:\n  R-001:\n    enabled_in_scheduler: true\n    params:\n      most: 4\n";

struct Fixture {
    scripted::RulesFolder folder{kGood};
    time::ManualClock clock{scripted::at("2026-01-15T12:00:00Z")};
    scripted::Evaluator evaluator;
    scripted::Catalogue catalogue;
    fakes::DeviationRepository deviations;
    fakes::RuleRepository rules;
    fakes::BaselineRepository baselines;
    fakes::MonitorModeRepository modes;
    fakes::LogSink log;
    rules::Scheduler scheduler{
        {.rules_file = folder.file(), .interval = 24h}, {evaluator, deviations, rules, baselines, modes, clock, log}, catalogue};

    Fixture() {
        says("id: R-001\nparams:\n  most: {type: integer, max: 9}\n");
        auto plugin = scripted::plugin("R-001");
        plugin.path = (folder.file().parent_path() / "R-001.so").string();
        catalogue.holds({.plugins = {plugin}, .rejected = {}});
    }
    /// What stands in the file beside the plugin.
    void says(const std::string& manifest) const { std::ofstream{folder.file().parent_path() / "R-001.yaml"} << manifest; }
    [[nodiscard]] std::string params_in_force() const { return evaluator.configured().back().at(0).params; }
    /// The last config_rejected, without the name of the folder.
    [[nodiscard]] std::string rejection() const {
        std::string message;
        for (const auto& entry : log.entries()) {
            if (entry.event == "config_rejected") message = scripted::json_field(entry, "error").at("message");
        }
        const auto name = folder.file().parent_path().string() + "/";
        for (auto at = message.find(name); at != std::string::npos; at = message.find(name)) message.erase(at, name.size());
        return message;
    }
    static core::Failed refusal(const std::string& param, const std::string& message) {
        auto failed = scripted::failed(core::FailureReason::create_failed, message);
        failed.phase = core::Phase::create;
        failed.param = param;
        return failed;
    }
};

}  // namespace

TEST_CASE("an edit with a parameter out of bounds keeps the old file in force and says where it is wrong, once") {
    Fixture f;
    f.scheduler.step();
    f.folder.replace(kTooMuch);
    CHECK(f.scheduler.step().counts.rules_ok == 1);
    CHECK(f.rejection() == "rules.yaml:5:13: rules.R-001.params.most: 30 is outside 9 and less");
    f.scheduler.step();
    CHECK(f.log.count("config_rejected") == 1);
    CHECK(f.log.count("config_reloaded") == 0);
    CHECK(f.params_in_force() == R"({"most":3})");
    CHECK(f.evaluator.tried().empty());
    f.folder.replace(kOther);
    f.scheduler.step();
    CHECK(f.log.count("config_reloaded") == 1);
    CHECK(f.params_in_force() == R"({"most":4})");
}

TEST_CASE("a file with such a parameter at the start ends every run until it is mended") {
    Fixture f;
    f.folder.replace(kTooMuch);
    CHECK(f.scheduler.step().error.find("rules.yaml:5:13: rules.R-001.params.most: 30 is outside") != std::string::npos);
    CHECK_FALSE(f.scheduler.step().error.empty());
    CHECK(f.log.count("config_rejected") == 1);
    CHECK(f.evaluator.configured().empty());
    f.folder.replace(kGood);
    CHECK(f.scheduler.step().error.empty());
}

TEST_CASE("a file that was edited before the rule that it fits arrived is taken when that comes") {
    Fixture f;
    f.scheduler.step();
    f.folder.replace("rules:\n  R-001:\n    enabled_in_scheduler: true\n    params:\n      fewest: 30\n");
    f.scheduler.step();
    CHECK(f.rejection() == "rules.yaml:5:7: rules.R-001.params.fewest: unknown parameter; known here: most");
    f.says("id: R-001\nparams:\n  fewest: {type: text}\n");
    f.scheduler.step();
    CHECK(f.rejection() == "rules.yaml:5:15: rules.R-001.params.fewest: 30 is not a text; write it in quotes");
    f.says("id: R-001\nparams:\n  fewest: {type: integer}\n");
    f.scheduler.step();
    CHECK(f.log.count("config_rejected") == 2);
    CHECK(f.log.count("config_reloaded") == 1);
    CHECK(f.params_in_force() == R"({"fewest":30})");
}

TEST_CASE("a plugin that changes under params which its rule.yaml does not know any more is told of, once") {
    Fixture f;
    f.scheduler.step();
    CHECK(f.log.count("rule_params_unfit") == 0);
    f.says("id: R-001\nparams:\n  fewest: {type: integer}\n");
    auto newer = scripted::plugin("R-001", "2.0.0");
    newer.path = (f.folder.file().parent_path() / "R-001.so").string();
    newer.sha256 = "22";
    f.catalogue.holds({.plugins = {newer}, .rejected = {}});
    f.scheduler.step();
    f.scheduler.step();
    CHECK(f.log.count("rule_params_unfit") == 1);
    CHECK(f.log.count("config_rejected") == 0);
    CHECK(f.params_in_force() == R"({"most":3})");
}

TEST_CASE(
    "params of homes that only the rule can refuse are found at an edit with their place, and at start cost the home alone") {
    constexpr auto kHomes = "homes:\n  - home_id: far\n    rules:\n      R-001:\n        params:\n          most: 7\n";
    Fixture f;
    f.scheduler.step();
    f.evaluator.refuses("R-001", R"({"most":7})", Fixture::refusal("most", "most: 7 is odd"));
    f.folder.replace(std::string{kGood} + kHomes);
    f.scheduler.step();
    CHECK(f.rejection() == "rules.yaml:11:17: homes[0].rules.R-001.params.most: 7 is odd");
    CHECK(f.log.count("home_params_refused") == 0);

    Fixture started;
    started.evaluator.refuses("R-001", R"({"most":7})", Fixture::refusal("most", "most: 7 is odd"));
    started.folder.replace(std::string{kGood} + kHomes);
    CHECK(started.scheduler.step().counts.rules_ok == 1);
    started.scheduler.step();
    CHECK(started.log.count("home_params_refused") == 1);
    CHECK(started.evaluator.configured().back().at(0).variants == std::vector<std::string>{R"({"most":7})"});
}

TEST_CASE("an edit that only the rule itself can refuse keeps the old file in force, with the place of the parameter") {
    Fixture f;
    f.scheduler.step();
    f.evaluator.refuses("R-001", R"({"most":4})", Fixture::refusal("most", "most: 4 is less than least, 5"));
    f.folder.replace(kOther);
    CHECK(f.scheduler.step().counts.rules_ok == 1);
    CHECK(f.rejection() == "rules.yaml:5:13: rules.R-001.params.most: 4 is less than least, 5");
    CHECK(f.params_in_force() == R"({"most":3})");
    f.scheduler.step();
    CHECK(f.log.count("config_rejected") == 1);
    CHECK(f.evaluator.tried() == std::vector<std::string>{R"({"most":4})"});
}

TEST_CASE("a worker that could not be started is no mistake in the file") {
    Fixture f;
    f.scheduler.step();
    auto spawn = scripted::failed(core::FailureReason::spawn_failed);
    spawn.phase = core::Phase::spawn;
    f.evaluator.refuses("R-001", R"({"most":4})", spawn);
    f.folder.replace(kOther);
    f.scheduler.step();
    CHECK(f.log.count("config_rejected") == 0);
    CHECK(f.params_in_force() == R"({"most":4})");
}

TEST_CASE("at the start a rule that refuses its parameters is out of use by itself, and told with the place") {
    Fixture f;
    f.evaluator.refuses("R-001", Fixture::refusal("most", "most: 3 is less than least, 5"));
    f.scheduler.step();
    CHECK(f.log.count("config_rejected") == 0);
    const auto state = f.scheduler.rule_states().at(0);
    CHECK_FALSE(state.loaded);
    CHECK(state.problem.starts_with("create_failed: "));
    CHECK(state.problem.ends_with("rules.yaml:5:13: rules.R-001.params.most: 3 is less than least, 5"));
}

TEST_CASE("a rule.yaml that cannot be used takes no rule out of use; it is said once") {
    Fixture f;
    f.says("id: R-001\nparams: 7\n");
    f.folder.replace(kTooMuch);
    CHECK(f.scheduler.step().counts.rules_ok == 1);
    f.folder.replace(kGood);
    f.scheduler.step();
    CHECK(f.log.count("rule_manifest_unusable") == 1);
    f.says("id: R-002\n");
    f.folder.replace(kOther);
    f.scheduler.step();
    CHECK(f.log.count("rule_manifest_unusable") == 2);
    CHECK(f.log.count("config_rejected") == 0);
}

TEST_CASE("a rule that is not in the file is not read about") {
    Fixture f;
    f.says("not a manifest");
    f.folder.replace("rules: {R-002: {params: {most: 30}}}\n");
    f.scheduler.step();
    CHECK(f.log.count("rule_manifest_unusable") == 0);
    CHECK(f.log.count("config_rejected") == 0);
}
