#pragma once
#include "core/verdict.hpp"
#include "evaluate/control_channel.hpp"
#include "evaluate/window_memory.hpp"
#include "evaluate/worker_deadline.hpp"
#include "evaluate/worker_death.hpp"
#include "evaluate/worker_nursery.hpp"
#include "evaluate/worker_process.hpp"
#include "ports/plugin_catalogue.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <variant>
#include <vector>

namespace varde::evaluate {

/// A sandboxed process that runs one version of each rule of a group (usually one rule), or one run of a job, from birth to death. After a
/// failure that killed it every call fails; its owner makes a new one. Blocking; one thread at a time, not always the same.
class RuleWorker {
  public:
    struct Limits {
        std::uint64_t memory_bytes = 128u << 20;  ///< of all plugins together
        std::chrono::milliseconds load_timeout{2000};
    };
    /// Takes a worker from the nursery and sends it the plugins, which it begins to load. finish_load() must follow.
    /// `mode`: run for rules, job for the one library of a job.
    static std::variant<RuleWorker, core::Failed> start(WorkerNursery& nursery, std::span<const ports::Plugin* const> plugins,
                                                        const Limits& limits, wire::SetupMode mode = wire::SetupMode::run);
    /// Waits for the end of the load. Failed: the process died, and the plugin named by blamed() is why. Else for each plugin why it cannot
    /// be used, or nothing.
    [[nodiscard]] std::variant<std::vector<std::optional<core::Failed>>, core::Failed> finish_load();

    /// Makes an instance of a plugin in a free slot (0 .. 64 x plugins - 1). `unknown_zones` are refused if the rule requires them.
    [[nodiscard]] std::variant<wire::Declarations, core::Failed> create(std::uint32_t plugin, std::uint32_t slot,
                                                                        const wire::ParamsTree& params,
                                                                        const std::vector<std::string>& unknown_zones);
    /// Lets the rule check itself (VARDE_SELFTEST_1), for as long as a load may take; nothing to do for one that does not offer it.
    [[nodiscard]] std::optional<core::Failed> selftest(std::uint32_t slot);
    /// A worker of mode job: one attempt, once. Blocks until the job answers, dies, or `stop` was requested and its time to answer all the
    /// same (kJobStopPatience) is over. What it says of itself is cut and made printable, its result is not checked.
    [[nodiscard]] std::variant<wire::JobEnd, core::Failed> run_job(const wire::JobRequest& request, const std::stop_token& stop,
                                                                   std::uint64_t max_log_bytes);
    static constexpr std::chrono::milliseconds kJobStopPatience{200};
    /// Ends an instance; its slot is free again.
    [[nodiscard]] std::optional<core::Failed> destroy(std::uint32_t slot);
    /// Makes `memory` the one that items are about; nothing to do if it is already.
    [[nodiscard]] std::optional<core::Failed> attach(const std::shared_ptr<WindowMemory>& memory);

    /// Items of one instance.
    struct Section {
        std::uint32_t slot = 0;
        std::chrono::milliseconds timeout{2000};
        const wire::Binding* binding = nullptr;
        std::span<const wire::Item> items;
    };
    /// What one request brought.
    struct Answers {
        std::size_t completed = 0;            ///< the first `completed` items, counted over the sections, were answered ...
        std::span<const std::byte> records;   ///< ... by these records, unchecked; valid until the next call
        std::optional<core::Failed> failure;  ///< the item after them killed the worker
    };
    /// Asks about as many of the items as one request takes. Without a failure `completed` is at least 1 and can be less than all.
    [[nodiscard]] Answers ask(std::span<const Section> sections);

    /// The worker broke the protocol, or a limit that it could only break by intent: ends it.
    core::Failed convict(core::FailureReason reason, const std::string& what);
    [[nodiscard]] bool alive() const { return alive_; }
    [[nodiscard]] std::uint32_t posture() const { return posture_; }
    [[nodiscard]] int pid() const { return process_.pid(); }
    [[nodiscard]] std::chrono::nanoseconds age() const { return process_.age(); }
    [[nodiscard]] std::uint64_t evaluations() const { return evaluations_; }
    [[nodiscard]] std::uint64_t resident_bytes() const { return process_.resident_bytes(); }
    [[nodiscard]] std::uint64_t log_bytes() const { return channel_.log_bytes(); }
    /// Whose code ran last, as the worker says: only good for blame within its own group.
    [[nodiscard]] std::uint32_t blamed() const { return channel_.plugin(); }
    std::string take_log() { return process_.take_log(); }

  private:
    RuleWorker(WorkerProcess process, ControlChannel channel, const Limits& limits, std::size_t n_plugins)
        : process_{std::move(process)}, channel_{std::move(channel)}, limits_{limits}, n_plugins_{n_plugins} {}
    [[nodiscard]] std::optional<core::Failed> await_one(core::Phase phase);
    [[nodiscard]] std::optional<core::Failed> await_job(const std::stop_token& stop, std::uint64_t max_log_bytes);
    [[nodiscard]] std::optional<core::Failed> await_items(std::span<const Section> sections, std::size_t n_items);
    core::Failed bury(core::Phase phase, const WorkerDeadline* deadline, Obituary::Kill kill);
    void ask_for_its_stack();
    std::size_t write_sections(std::span<const Section> sections, std::size_t& size);

    WorkerProcess process_;
    ControlChannel channel_;
    Limits limits_;
    std::size_t n_plugins_;
    std::shared_ptr<WindowMemory> attached_;
    std::uint32_t posture_ = 0;
    std::uint64_t evaluations_ = 0;
    std::uint32_t completed_at_end_ = 0;  ///< items answered before it was killed: the signal for its stack may have woken it up
    bool alive_ = true;
    std::string_view subject_ = "rule";  ///< what texts call its plugin
};

}  // namespace varde::evaluate
