#pragma once
#include "core/verdict.hpp"
#include "evaluate/control_channel.hpp"
#include "evaluate/worker_process.hpp"
#include "ports/plugin_catalogue.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

namespace varde::evaluate {

/// What all workers of an engine share.
struct WorkerHouse {
    WorkerProgram program;
    SharedMemory batch;  ///< window images; workers can only read it
    std::chrono::milliseconds load_timeout;
    int cpu;  ///< -1: not pinned
};

struct RuleLimits {
    std::chrono::milliseconds timeout{2000};
    std::uint64_t memory_bytes = 128u << 20;
    friend bool operator==(const RuleLimits&, const RuleLimits&) = default;
};

/// A sandboxed process that runs one version of one rule, from birth to death. After a failure that killed it every call fails; its
/// owner makes a new one. One thread.
class RuleWorker {
  public:
    /// Spawns, seals off and loads the plugin.
    static std::variant<RuleWorker, core::Failed> start(const WorkerHouse& house, const ports::Plugin& plugin,
                                                        const RuleLimits& limits);

    /// Makes an instance in a free slot (0..63).
    /// `unknown_zones` are refused if the rule requires them.
    [[nodiscard]] std::variant<wire::Declarations, core::Failed> create(std::uint32_t slot, const wire::ParamsTree& params,
                                                                        const std::vector<std::string>& unknown_zones);
    /// Ends an instance; its slot is free again.
    [[nodiscard]] std::optional<core::Failed> destroy(std::uint32_t slot);

    /// What one request brought.
    struct Answers {
        std::size_t completed = 0;            ///< the first `completed` items were answered ...
        std::span<const std::byte> records;   ///< ... by these records, unchecked; valid until the next call
        std::optional<core::Failed> failure;  ///< the item after them killed the worker
    };
    /// Asks about as many of `items` as one request takes. Without a failure `completed` is at least 1 and can be less than all.
    [[nodiscard]] Answers ask(std::uint32_t slot, const wire::Binding& binding, std::span<const wire::Item> items);

    /// The worker broke the protocol: ends it.
    core::Failed convict(const std::string& what);
    [[nodiscard]] bool alive() const { return alive_; }
    [[nodiscard]] std::uint32_t posture() const { return posture_; }
    [[nodiscard]] int pid() const { return process_.pid(); }
    std::string take_log() { return process_.take_log(); }

  private:
    RuleWorker(WorkerProcess process, ControlChannel channel, const WorkerHouse& house, const RuleLimits& limits)
        : process_{std::move(process)}, channel_{std::move(channel)}, limits_{limits}, load_timeout_{house.load_timeout} {}
    [[nodiscard]] std::optional<core::Failed> load();
    [[nodiscard]] std::optional<core::Failed> await_one(core::Phase phase);
    [[nodiscard]] std::optional<core::Failed> await_items(std::size_t n_items);
    core::Failed bury(core::Phase phase, bool killed_at_deadline, std::chrono::milliseconds limit);
    std::size_t write_items(std::uint32_t slot, const wire::Binding& binding, std::span<const wire::Item> items,
                            std::size_t& size);

    WorkerProcess process_;
    ControlChannel channel_;
    RuleLimits limits_;
    std::chrono::milliseconds load_timeout_;
    std::uint32_t posture_ = 0;
    bool alive_ = true;
};

}  // namespace varde::evaluate
