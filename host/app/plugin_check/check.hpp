#pragma once
#include "config/rule_manifest.hpp"
#include "config/settings.hpp"
#include "plugins/plugin_file.hpp"
#include "ports/log_sink.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// `varde plugin check`: what an author can know of a rule before it runs anywhere. Every check that runs the rule does so in a sandboxed
/// worker of its own, so that a crash is the verdict of one check.
namespace varde::app::plugin_check {

enum class Status { pass, warn, fail, skip };
[[nodiscard]] std::string_view name_of(Status status);  ///< "pass", "warn", "fail", "skip"

/// What one check found. `text` is one line: what was seen, with numbers, and what to do about it.
struct Answer {
    Status status = Status::pass;
    std::string text;
};
[[nodiscard]] inline Answer pass(std::string text) { return {Status::pass, std::move(text)}; }
[[nodiscard]] inline Answer warn(std::string text) { return {Status::warn, std::move(text)}; }
[[nodiscard]] inline Answer fail(std::string text) { return {Status::fail, std::move(text)}; }
[[nodiscard]] inline Answer skip(std::string text) { return {Status::skip, std::move(text)}; }

/// What is checked, and with what.
struct Subject {
    std::filesystem::path file;
    std::optional<ports::Plugin> plugin;           ///< nullopt: the file is refused
    std::optional<ports::RejectedPlugin> refusal;  ///< why
    std::filesystem::path manifest_file;           ///< empty: there is none beside the file
    core::Result<config::RuleManifest> manifest;   ///< empty without a file
    std::string params = "{}";                     ///< the defaults of the manifest
    std::chrono::milliseconds timeout{2000};       ///< of one evaluation
    std::uint64_t memory_bytes = 128ull << 20;
    plugins::Trust trust;
    config::HostConfig::Isolation isolation;
    std::uint64_t seed = 1;  ///< the same seed makes the same events and parameters
    ports::LogSink* log = nullptr;

    /// The window that rules are asked about ends here; literal, so that answers do not depend on the day of the check.
    [[nodiscard]] core::Window window() const;
};

struct Check {
    std::string_view name;  ///< GROUP.NAME, an interface: --only and reports use it
    std::string_view what;
    bool gate = false;       ///< if it fails, the checks after it that run the rule are skipped
    bool runs_rule = false;  ///< needs a file that is not refused
    std::function<Answer(const Subject&)> run;
    bool also_jobs = false;  ///< holds for a library that exports a job as well; the others are skipped there
};

/// Every check, in the order they are made.
[[nodiscard]] std::vector<Check> all_checks();
[[nodiscard]] std::vector<Check> file_checks();
[[nodiscard]] std::vector<Check> load_checks();
[[nodiscard]] std::vector<Check> window_checks();
[[nodiscard]] std::vector<Check> answer_checks();
[[nodiscard]] std::vector<Check> budget_checks();

}  // namespace varde::app::plugin_check
