#include "app/composition.hpp"
#include "app/modules.hpp"
#include "app/rule_specs.hpp"
#include "app/scenario_test.hpp"
#include "config/rule_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

namespace varde::app {
namespace {

namespace fs = std::filesystem;

struct Tally {
    int passed = 0;
    int failed = 0;
};

std::vector<fs::path> scenario_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{folder / "tests", none}) {
        const auto extension = entry.path().extension();
        if (extension == ".yaml" || extension == ".yml") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

void tell(Tally& tally, const std::string& name, const std::vector<std::string>& problems) {
    problems.empty() ? ++tally.passed : ++tally.failed;
    fmt::print("{}  {}\n", problems.empty() ? "pass" : "FAIL", name);
    for (const auto& problem : problems) fmt::print("      {}\n", problem);
}

/// The parameters a folder's rule is tested with: those of rules.yaml, if it names the rule.
std::string params_of(const config::HostConfig& settings, const std::string& rule_id) {
    const auto rules = config::load_rules(settings.rules_file);
    if (!rules) return "{}";
    const auto found = rules->rules.find(rule_id);
    return found == rules->rules.end() ? "{}" : found->second.params;
}

std::vector<std::string> run_scenario(ports::Evaluator& evaluator, const config::Scenario& scenario, const std::string& rule_id,
                                      const std::string& params) {
    ports::Evaluation evaluation{rule_id, {}, scenario.evaluate, scenario.evaluate.until};
    const auto verdict = evaluator.evaluate_events(evaluation, params, scenario.events);
    if (const auto* failed = std::get_if<core::Failed>(&verdict)) {
        return {fmt::format("{}: {}", core::name_of(failed->reason), failed->message)};
    }
    std::vector<JudgedFinding> findings;
    for (const auto& finding : std::get<core::Completed>(verdict).findings) findings.push_back({rule_id, finding});
    return mismatches(scenario, findings);
}

/// The rule's test.hpp binary, built beside the plugin: plugins/R-001_test. Returns false if there is none.
bool run_unit_tests(const fs::path& plugins, const std::string& rule_id, Tally& tally) {
    const auto binary = (plugins / (rule_id + "_test")).string();
    if (!fs::exists(binary)) return false;
    std::fflush(stdout);
    std::string path = binary;
    char* arguments[] = {path.data(), nullptr};
    pid_t child = 0;
    int status = 0;
    const bool ended =
        ::posix_spawn(&child, binary.c_str(), nullptr, nullptr, arguments, environ) == 0 && ::waitpid(child, &status, 0) == child;
    const bool passed = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    tell(tally, binary, passed ? std::vector<std::string>{} : std::vector<std::string>{"the unit tests failed; run: " + binary});
    return true;
}

}  // namespace

int test_rule(const Globals& globals, const std::string& folder) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    const auto named = config::rule_id_of_folder(folder);
    if (!named) return report(named.error());
    const auto& rule_id = *named;
    Log log{*settings, stderr};
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    auto specs = specs_of_all_plugins(catalogue, log.sink());
    if (!specs) return report(specs.error());
    std::erase_if(*specs, [&](const auto& spec) { return spec.plugin.rule_id != rule_id; });
    if (specs->empty()) {
        return report(
            {core::Errc::plugin_rejected, fmt::format("{} has no plugin {}.so; build it first, or name its folder with --plugins",
                                                      settings->plugins_dir.string(), rule_id)});
    }
    evaluate::EvaluationEngine engine{nullptr, settings->isolation, log.sink()};
    (void)engine.configure(std::move(*specs));
    const auto params = params_of(*settings, rule_id);
    Tally tally;
    for (const auto& file : scenario_files(folder)) {
        const auto scenario = config::load_scenario(file);
        tell(tally, file.string(),
             scenario ? run_scenario(engine, *scenario, rule_id, params) : std::vector<std::string>{scenario.error().context});
    }
    if (!run_unit_tests(settings->plugins_dir, rule_id, tally)) {
        fmt::print("note  no unit tests: {} is not built\n", (settings->plugins_dir / (rule_id + "_test")).string());
    }
    fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
    return tally.failed == 0 && tally.passed > 0 ? kOk : kFailed;
}

}  // namespace varde::app
