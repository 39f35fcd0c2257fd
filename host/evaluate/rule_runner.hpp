#pragma once
#include "core/verdict.hpp"
#include "evaluate/rule_worker.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"
#include "wire/message.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace varde::evaluate {

/// When a sound worker is replaced all the same, and what it may write.
struct RunnerLimits {
    std::chrono::milliseconds load_timeout{2000};
    std::uint64_t max_evaluations = 1'000'000;
    std::chrono::seconds max_age{86'400};
    std::uint64_t max_growth_bytes = 32u << 20;
    std::uint64_t max_log_bytes = 1u << 20;  ///< of one run
};

/// The rules of one worker (one rule, or the rules of a `group:`): starts it when it is needed and again when it died. Blocking; one
/// thread at a time.
class RuleRunner {
  public:
    RuleRunner(WorkerNursery& nursery, const RunnerLimits& limits, std::vector<ports::RuleSpec> members, ports::LogSink& log);

    /// A rule made with some parameters. Lives on when the worker dies: it is made again in the next one.
    struct Instance {
        std::uint32_t member = 0;
        std::uint32_t slot = 0;
        std::string params;
        wire::ParamsTree tree;
        std::vector<std::string> unknown_zones;
        wire::Declarations declarations;
        std::uint64_t incarnation = 0;  ///< of the worker that it was made in last
    };
    /// Begins to start the worker, so that several runners can do so at once. Optional.
    void prepare();
    /// One with the rule's own parameters, or with those of RuleSpec::variants, is valid until adopt() takes other ones; one with others
    /// until the next call.
    [[nodiscard]] std::variant<Instance*, core::Failed> instance(std::size_t member, const std::string& params);

    /// Lets the rule check itself, if it offers to; nullopt: nothing is wrong.
    [[nodiscard]] std::optional<core::Failed> selftest(const Instance& instance);

    /// Items of one instance.
    struct Work {
        Instance* instance = nullptr;
        const wire::Binding* binding = nullptr;
        std::span<const wire::Item> items;
    };
    struct Place {
        std::size_t work = 0;
        std::size_t item = 0;
    };
    /// A member of a group that ended the worker: it must go to a worker of its own. Items without a verdict are to be asked again.
    struct Split {
        std::size_t member = 0;
    };
    /// Gives the verdict on an item; nullopt: the bytes are no answer.
    using ReadVerdict = std::function<std::optional<core::Verdict>(Place place, wire::ByteReader& in)>;
    using TakeVerdict = std::function<void(Place place, core::Verdict verdict)>;
    /// Evaluates everything in order, with windows in `memory`; every item gets exactly one verdict. One that kills the worker fails, the
    /// rest goes to a new worker; after the third death in one call the rest fails without being asked. In a group the first death stops
    /// the call with a Split.
    std::optional<Split> run(std::span<const Work> work, const std::shared_ptr<WindowMemory>& memory, const ReadVerdict& read,
                             const TakeVerdict& take);

    /// The member whose code ran when the worker ended, as the worker said; nullopt: it lives.
    [[nodiscard]] std::optional<std::size_t> blamed() const;
    [[nodiscard]] const std::vector<ports::RuleSpec>& members() const { return members_; }
    [[nodiscard]] const ports::RuleSpec& spec(std::size_t member) const { return members_[member]; }
    /// True if a runner of `others` would be the same: then only their parameters are taken over.
    [[nodiscard]] bool adopt(const std::vector<ports::RuleSpec>& others);
    [[nodiscard]] std::uint32_t posture() const { return worker_ ? worker_->posture() : 0; }
    /// For tests: 0 while there is no worker.
    [[nodiscard]] int worker_pid() const { return worker_ ? worker_->pid() : 0; }

  private:
    std::optional<core::Failed> begin_worker();
    std::optional<core::Failed> ensure_worker();
    std::optional<core::Failed> make(Instance& instance);
    std::optional<core::Failed> make_again(Instance& instance);
    std::optional<core::Failed> make_all(std::span<const Work> work);
    std::optional<core::Failed> free_a_slot(std::size_t member);
    [[nodiscard]] bool has_slot(std::uint32_t slot) const;
    std::optional<core::Failed> check_log();
    void retire_if_due();
    void note_slowness(const core::Verdict& verdict, std::size_t member);
    void log_what_it_wrote();
    core::Failed with_facts(core::Failed failed, std::size_t member) const;

    WorkerNursery& nursery_;
    RunnerLimits limits_;
    std::vector<ports::RuleSpec> members_;
    ports::LogSink& log_;
    std::optional<RuleWorker> worker_;
    bool loading_ = false;
    std::vector<std::optional<core::Failed>> unusable_;  ///< by member: what its load said
    std::uint64_t incarnation_ = 0;
    std::uint64_t runs_ = 0;
    std::uint64_t resident_at_first_ = 0;  ///< of this worker, after its first run
    std::uint64_t log_bytes_before_ = 0;
    std::vector<std::chrono::steady_clock::time_point> slow_said_;  ///< by member: when it was last in the log
    std::vector<std::unique_ptr<Instance>> instances_;              ///< oldest first
};

/// The zones of `declarations` that the rule requires and that do not exist.
[[nodiscard]] std::vector<std::string> unknown_required_zones(const wire::Declarations& declarations);

}  // namespace varde::evaluate
