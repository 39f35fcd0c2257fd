#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "app/plugin_check/check.hpp"
#include "app/plugin_check/report.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

namespace varde::app {
namespace plugin_check {

core::Window Subject::window() const {
    // A night and a morning, so that rules about nights have something to say.
    constexpr core::Instant until{std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{6}};
    const auto lookback = manifest ? manifest->lookback : config::RuleManifest{}.lookback;
    return {until - lookback, until};
}

std::vector<Check> all_checks() {
    std::vector<Check> all;
    for (auto& group : {file_checks(), load_checks(), window_checks(), answer_checks(), budget_checks()})
        all.insert(all.end(), group.begin(), group.end());
    return all;
}

namespace {

/// A rule's limits and, if the host's rules.yaml names it, those it would have there.
void apply_limits(Subject& subject, const config::HostConfig& settings) {
    const auto rules = config::load_rules(settings.rules_file);
    if (!rules || !subject.plugin) return;
    const auto rule = rules->rules.find(subject.plugin->rule_id);
    if (rule == rules->rules.end()) return;
    subject.timeout = rule->second.timeout;
    subject.memory_bytes = rule->second.memory_mb << 20;
}

core::Result<Subject> make_subject(const config::HostConfig& settings, const PluginCheckOptions& options, ports::LogSink& log) {
    Subject subject;
    subject.file = options.file;
    subject.isolation = settings.isolation;
    subject.seed = options.seed;
    subject.log = &log;
    auto trust = plugins::load_trust(settings.plugins);
    if (!trust) return tl::unexpected{trust.error()};
    subject.trust = std::move(*trust);
    auto plugin = plugins::inspect(subject.file, subject.trust);
    if (plugin)
        subject.plugin = std::move(*plugin);
    else
        subject.refusal = std::move(plugin.error());
    subject.manifest_file = config::manifest_file_of(subject.file);
    if (!subject.manifest_file.empty()) subject.manifest = config::load_rule_manifest(subject.manifest_file);
    if (subject.manifest) subject.params = subject.manifest->default_params();
    apply_limits(subject, settings);
    return subject;
}

/// The checks that --only asks for: by name, or by group ("windows").
core::Result<std::vector<Check>> chosen(const std::vector<std::string>& only) {
    auto checks = all_checks();
    for (const auto& wanted : only) {
        const auto fits = [&](const Check& check) { return check.name == wanted || check.name.starts_with(wanted + "."); };
        if (std::ranges::none_of(checks, fits))
            return core::fail(core::Errc::invalid_argument, fmt::format("there is no check '{}'; --list names them", wanted));
    }
    std::erase_if(checks, [&](const Check& check) {
        return !only.empty() && std::ranges::none_of(only, [&](const std::string& wanted) {
            return check.name == wanted || check.name.starts_with(wanted + ".");
        });
    });
    return checks;
}

/// Why a check cannot be made; empty: it can.
std::string obstacle(const Check& check, const Subject& subject, const std::string& closed_gate) {
    if (subject.plugin && subject.plugin->kind == ports::PluginKind::job && !check.also_jobs)
        return "it is about rules, and the file is a job";
    if (!check.runs_rule) return {};
    if (!subject.plugin) return "the file is refused: see file.accepted";
    return closed_gate.empty() ? std::string{} : "see " + closed_gate;
}

/// A rule.yaml whose defaults do not fit their types can make a check impossible.
Answer made(const Check& check, const Subject& subject) try { return check.run(subject); } catch (const std::exception& error) {
    return fail(fmt::format("the check could not be made: {}", error.what()));
}

std::vector<Result> make_checks(const std::vector<Check>& checks, const Subject& subject,
                                const std::function<void(const Result&)>& tell) {
    std::vector<Result> results;
    std::string closed_gate;
    for (const auto& check : checks) {
        Result result{std::string{check.name}, std::string{check.what}, {}, {}};
        const auto start = std::chrono::steady_clock::now();
        const auto why_not = obstacle(check, subject, closed_gate);
        result.answer = why_not.empty() ? made(check, subject) : skip(why_not);
        result.duration = std::chrono::steady_clock::now() - start;
        if (check.gate && result.answer.status == Status::fail && closed_gate.empty()) closed_gate = check.name;
        tell(result);
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace
}  // namespace plugin_check

namespace {

int list_checks(const Globals& globals) {
    for (const auto& check : plugin_check::all_checks()) {
        if (globals.json)
            print_json({{"check", check.name}, {"what", check.what}});
        else
            fmt::print("{:<22} {}\n", check.name, check.what);
    }
    return kOk;
}

}  // namespace

int plugin_check_file(const Globals& globals, const PluginCheckOptions& options) {
    if (options.list) return list_checks(globals);
    if (options.file.empty()) return report({core::Errc::invalid_argument, "plugin check needs a FILE.so, or --list"});
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    settings->log_level = "error";
    Log log{*settings, stderr};
    const auto checks = plugin_check::chosen(options.only);
    if (!checks) return report(checks.error());
    const auto subject = plugin_check::make_subject(*settings, options, log.sink());
    if (!subject) return report(subject.error());
    const auto results = plugin_check::make_checks(*checks, *subject, [&](const plugin_check::Result& result) {
        fmt::print("{}\n", globals.json ? plugin_check::json_line(result, options.seed) : plugin_check::text_line(result));
        std::fflush(stdout);
    });
    const auto counts = plugin_check::count(results);
    fmt::print("{}\n", globals.json ? plugin_check::json_summary(options.file, counts, options.seed)
                                    : plugin_check::text_summary(counts, options.seed));
    if (const auto hint = plugin_check::repeat_hint(options.file, results, options.seed); !globals.json && !hint.empty())
        fmt::print("{}\n", hint);
    if (!options.junit.empty()) {
        std::ofstream out{options.junit, std::ios::binary};
        out << plugin_check::junit(options.file, results, options.seed);
        out.close();
        if (!out) return report({core::Errc::io_failed, "cannot write " + options.junit});
    }
    return counts.failed == 0 ? kOk : kFailed;
}

}  // namespace varde::app
