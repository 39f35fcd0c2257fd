#pragma once
#include "config/settings.hpp"
#include "core/verdict.hpp"
#include "evaluate/worker_nursery.hpp"
#include "ports/job_libraries.hpp"
#include "ports/log_sink.hpp"
#include "ports/plugin_catalogue.hpp"
#include "time/clock.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace varde::evaluate {

/// Job libraries of plugins/, each attempt in a worker process of its own: the program, sandbox, limits and words for failures are those
/// of rules. The first run starts the nursery; a host without such schedules pays nothing. Thread-safe.
///
/// What an attempt may use: isolation.load_timeout for its constructors, memory_mb of its call, isolation.max_log_bytes for log lines,
/// 64 KiB for its result, and time until its `stop`, after which it has RuleWorker::kJobStopPatience to answer.
class SandboxedJobs final : public ports::JobLibraries {
  public:
    /// All outlive this; `catalogue` must be thread-safe.
    SandboxedJobs(ports::PluginCatalogue& catalogue, const config::HostConfig::Isolation& settings, const time::Clock& clock,
                  ports::LogSink& log)
        : catalogue_{catalogue}, settings_{settings}, clock_{clock}, log_{log} {}

    SandboxedJobs(const SandboxedJobs&) = delete;
    SandboxedJobs& operator=(const SandboxedJobs&) = delete;
    /// Waits for runs that were asked to stop and have not returned yet: one that is still loading takes isolation.load_timeout.
    ~SandboxedJobs() override;

    [[nodiscard]] ports::JobAnswer run(const ports::LibraryRun& run) override;

  private:
    [[nodiscard]] ports::JobAnswer carry_out(const ports::LibraryRun& run);
    [[nodiscard]] core::Result<ports::Plugin> find(const std::string& job_id);
    [[nodiscard]] core::Result<WorkerNursery*> nursery();
    [[nodiscard]] ports::JobAnswer answer_of(const ports::Plugin& plugin, const core::Failed& failed) const;

    ports::PluginCatalogue& catalogue_;
    const config::HostConfig::Isolation settings_;
    const time::Clock& clock_;
    ports::LogSink& log_;
    std::mutex mutex_;
    std::condition_variable idle_;
    int running_ = 0;
    std::unique_ptr<WorkerNursery> nursery_;
};

}  // namespace varde::evaluate
