#include "app/case_json.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/rule_specs.hpp"

#include <chrono>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

namespace varde::app {
namespace {

/// Counts of one `varde eval --check`.
struct Score {
    std::int64_t cases = 0;
    std::int64_t equal = 0;
    std::chrono::nanoseconds evaluating{};
};

core::Verdict judge(ports::Evaluator& evaluator, const EvalCase& asked, Score& score) {
    const auto start = std::chrono::steady_clock::now();
    auto verdict = evaluator.evaluate_events(asked.evaluation, asked.params, asked.events);
    score.evaluating += std::chrono::steady_clock::now() - start;
    ++score.cases;
    return verdict;
}

/// One line of input; returns false if it could not be read.
bool answer_line(ports::Evaluator& evaluator, const std::string& line, std::int64_t number, bool check, Score& score) {
    const auto asked = read_case(line);
    if (!asked) {
        std::cerr << fmt::format("varde: line {}: {}\n", number, asked.error().context);
        return false;
    }
    const auto verdict = judge(evaluator, *asked, score);
    if (!check) {
        std::cout << json_line(answer(*asked, verdict)) << '\n';
        return true;
    }
    const auto differs = difference(*asked, verdict);
    score.equal += differs.empty();
    if (!differs.empty()) std::cout << fmt::format("line {}: {}: {}\n", number, asked->vector_id.dump(), differs);
    return true;
}

}  // namespace

int eval(const Globals& globals, const EvalOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    std::ifstream file;
    if (!options.file.empty() && (file.open(options.file), !file.is_open())) {
        return report({core::Errc::io_failed, "cannot read " + options.file});
    }
    std::istream& in = options.file.empty() ? std::cin : file;
    Log log{*settings, stderr};
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    auto specs = specs_of_all_plugins(catalogue, log.sink());
    if (!specs) return report(specs.error());
    evaluate::EvaluationEngine engine{nullptr, settings->isolation, log.sink()};
    // Parameters come with each case, so a rule that cannot live without any is no error yet.
    (void)engine.configure(std::move(*specs));
    Score score;
    std::int64_t number = 0;
    bool all_read = true;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        all_read = answer_line(engine, line, number, options.check, score) && all_read;
    }
    std::cout.flush();
    const auto seconds = std::chrono::duration<double>(score.evaluating).count();
    if (options.check) {
        fmt::print("{} of {} equal, {:.0f} evaluations per second\n", score.equal, score.cases,
                   seconds > 0 ? static_cast<double>(score.cases) / seconds : 0.0);
        return score.equal == score.cases && all_read && score.cases > 0 ? kOk : kFailed;
    }
    return all_read ? kOk : kUsage;
}

}  // namespace varde::app
