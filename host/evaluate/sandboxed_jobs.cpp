#include "evaluate/sandboxed_jobs.hpp"

#include "config/json_section.hpp"
#include "evaluate/params_tree.hpp"
#include "evaluate/rule_worker.hpp"
#include "evaluate/worker_launch.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <varde/job.h>

namespace varde::evaluate {
namespace {

using core::Errc;
using core::Failed;
using core::FailureReason;
using ports::JobAnswer;

/// The same file would fail the same way.
bool is_of_the_file(FailureReason reason) {
    return reason == FailureReason::load_failed || reason == FailureReason::abi_mismatch ||
           reason == FailureReason::manifest_mismatch || reason == FailureReason::input_too_large;
}

std::int64_t us_of(core::Instant at) { return at.time_since_epoch().count(); }

/// The function of the library where a killed or crashed worker was, for the log: "J-x.so+0x1139".
std::string place_of(const Failed& failed, const std::string& job_id) {
    if (!failed.evidence) return {};
    const auto& frames = failed.evidence->frames;
    const auto own = std::ranges::find_if(frames, [&](const auto& frame) { return frame.module.starts_with(job_id); });
    return own == frames.end() ? std::string{} : fmt::format("{}+{:#x}", own->module, own->offset);
}

/// Who shows it later goes down into it level by level.
bool is_sound(const std::string& result) {
    constexpr int deepest = 64;
    const auto value = nlohmann::json::parse(result, nullptr, false);
    return !value.is_discarded() && !config::deeper_than(value, deepest);
}

JobAnswer answer_of(wire::JobEnd end) {
    JobAnswer answer;
    answer.ok = end.status >= 0;
    answer.error = std::move(end.error);
    answer.result = std::move(end.result);
    answer.retry = end.status != VARDE_JOB_GIVE_UP;
    if (!answer.ok && answer.error.empty()) answer.error = fmt::format("the job returned {} without saying why", end.status);
    if (answer.ok) answer.error.clear();
    if (answer.result.empty() || is_sound(answer.result)) return answer;
    answer.result.clear();
    if (!answer.ok) return answer;
    return {false, "bad_result: what the job answered is no JSON, or nested deeper than 64", {}, false};
}

}  // namespace

core::Result<ports::Plugin> SandboxedJobs::find(const std::string& job_id) {
    auto found = catalogue_.scan();
    if (!found) return tl::unexpected{found.error()};
    for (auto& job : found->jobs) {
        if (job.rule_id == job_id) return std::move(job);
    }
    const auto is_it = [&](const ports::RejectedPlugin& file) {
        return file.rule_id == job_id || std::filesystem::path{file.path}.stem() == job_id;
    };
    for (const auto* files : {&found->bad_jobs, &found->rejected}) {
        const auto bad = std::ranges::find_if(*files, is_it);
        if (bad == files->end()) continue;
        return core::fail(Errc::plugin_rejected, fmt::format("{}: {}: {}", bad->path, core::name_of(bad->reason), bad->message));
    }
    const auto is_rule = [&](const ports::Plugin& plugin) { return plugin.rule_id == job_id; };
    if (std::ranges::any_of(found->plugins, is_rule))
        return core::fail(Errc::not_found, fmt::format("params.job: '{}' is a rule and no job", job_id));
    std::vector<std::string> known;
    for (const auto& job : found->jobs) known.push_back(job.rule_id);
    return core::fail(Errc::not_found, fmt::format("params.job: no library in plugins_dir is the job '{}'; there {}", job_id,
                                                   known.empty() ? "are none" : fmt::format("is: {}", fmt::join(known, ", "))));
}

core::Result<WorkerNursery*> SandboxedJobs::nursery() {
    const std::lock_guard lock{mutex_};
    if (!nursery_) {
        auto launch = prepare_launch(settings_, -1, log_);
        if (!launch) return tl::unexpected{launch.error()};
        nursery_ = std::make_unique<WorkerNursery>(std::move(*launch), 1);
    }
    return nursery_.get();
}

JobAnswer SandboxedJobs::answer_of(const ports::Plugin& plugin, const Failed& failed) const {
    std::string text = fmt::format("{} {}: {}: {}", plugin.rule_id, plugin.version, core::name_of(failed.reason), failed.message);
    log_.log(ports::LogLevel::warning, "evaluate", "job_failed", text,
             {{"job_id", plugin.rule_id},
              {"version", plugin.version},
              {"reason", std::string{core::name_of(failed.reason)}},
              {"place", place_of(failed, plugin.rule_id)},
              {"path", plugin.path}});
    return {false, std::move(text), {}, !is_of_the_file(failed.reason)};
}

SandboxedJobs::~SandboxedJobs() {
    std::unique_lock lock{mutex_};
    idle_.wait(lock, [this] { return running_ == 0; });
}

JobAnswer SandboxedJobs::run(const ports::LibraryRun& run) {
    struct Presence {
        explicit Presence(SandboxedJobs& of) : jobs{of} {
            const std::lock_guard lock{jobs.mutex_};
            ++jobs.running_;
        }
        Presence(const Presence&) = delete;
        Presence& operator=(const Presence&) = delete;
        ~Presence() {
            const std::lock_guard lock{jobs.mutex_};
            if (--jobs.running_ == 0) jobs.idle_.notify_all();
        }
        SandboxedJobs& jobs;
    };
    const Presence presence{*this};
    return carry_out(run);
}

JobAnswer SandboxedJobs::carry_out(const ports::LibraryRun& run) {
    const auto plugin = find(run.job_id);
    if (!plugin) return {false, plugin.error().context, {}, true};
    auto params = params_tree(run.params);
    if (!params) return {false, "params.params: " + params.error().context, {}, false};
    const auto workers = nursery();
    if (!workers) return {false, workers.error().context, {}, true};

    const ports::Plugin* const library = &*plugin;
    auto started =
        RuleWorker::start(**workers, {&library, 1}, {run.memory_mb << 20, settings_.load_timeout}, wire::SetupMode::job);
    if (const auto* failed = std::get_if<Failed>(&started)) return answer_of(*plugin, *failed);
    auto& worker = std::get<RuleWorker>(started);
    const auto loaded = worker.finish_load();
    if (const auto* failed = std::get_if<Failed>(&loaded)) return answer_of(*plugin, *failed);
    if (const auto& failed = std::get<0>(loaded).front()) return answer_of(*plugin, *failed);

    const auto now = clock_.now();
    const wire::JobRequest request{static_cast<std::uint32_t>(run.attempt),
                                   us_of(run.nominal_at),
                                   us_of(now),
                                   us_of(now + run.run_timeout),
                                   static_cast<std::uint64_t>(std::chrono::nanoseconds{run.run_timeout}.count()),
                                   run.slot_key,
                                   run.params,
                                   std::move(*params)};
    auto end = worker.run_job(request, run.stop, settings_.max_log_bytes);
    if (const auto* failed = std::get_if<Failed>(&end)) {
        auto answer = answer_of(*plugin, *failed);
        if (run.stop.stop_requested()) answer.error = "stopped; the job's process was ended";
        return answer;
    }
    if (const auto said = worker.take_log(); !said.empty())
        log_.log(ports::LogLevel::info, "evaluate", "job_log", said, {{"job_id", plugin->rule_id}, {"slot", run.slot_key}});
    return evaluate::answer_of(std::get<wire::JobEnd>(std::move(end)));
}

}  // namespace varde::evaluate
