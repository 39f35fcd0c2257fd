#pragma once
#include "core/verdict.hpp"
#include "evaluate/rule_worker.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace varde::evaluate {

/// One rule with its worker: starts it when it is needed and again when it died. One thread.
class RuleRunner {
  public:
    RuleRunner(const WorkerHouse& house, ports::RuleSpec spec, ports::LogSink& log);

    /// A rule made with some parameters. Lives on when the worker dies: it is made again in the next one.
    struct Instance {
        std::uint32_t slot = 0;
        std::string params;
        wire::ParamsTree tree;
        std::vector<std::string> unknown_zones;
        wire::Declarations declarations;
        std::uint64_t incarnation = 0;  ///< of the worker that it was made in last
    };
    /// Valid until the next call. Instances of other parameters than the rule's own are kept for a while.
    [[nodiscard]] std::variant<Instance*, core::Failed> instance(const std::string& params);

    /// Gives the verdict on item i; nullopt: the bytes are no answer.
    using ReadVerdict = std::function<std::optional<core::Verdict>(std::size_t i, wire::ByteReader& in)>;
    using TakeVerdict = std::function<void(std::size_t i, core::Verdict verdict)>;
    /// Evaluates `items` in order; every one gets exactly one verdict. One that kills the worker fails, the rest goes to a new worker;
    /// after the third death in one call the rest fails without being asked.
    void run(Instance& instance, const wire::Binding& binding, std::span<const wire::Item> items, const ReadVerdict& read,
             const TakeVerdict& take);

    [[nodiscard]] const ports::RuleSpec& spec() const { return spec_; }
    /// True if a worker of `other` would be the same: then only the parameters are taken over.
    [[nodiscard]] bool adopt(const ports::RuleSpec& other);
    [[nodiscard]] std::uint32_t posture() const { return worker_ ? worker_->posture() : 0; }
    /// For tests: 0 while there is no worker.
    [[nodiscard]] int worker_pid() const { return worker_ ? worker_->pid() : 0; }

  private:
    std::optional<core::Failed> ensure_worker();
    std::optional<core::Failed> make(Instance& instance);
    std::optional<core::Failed> make_again(Instance& instance);
    std::optional<core::Failed> free_a_slot();
    void log_what_it_wrote();

    const WorkerHouse& house_;
    ports::RuleSpec spec_;
    ports::LogSink& log_;
    std::optional<RuleWorker> worker_;
    std::uint64_t incarnation_ = 0;
    std::vector<std::unique_ptr<Instance>> instances_;  ///< oldest first
};

/// The zones of `declarations` that the rule requires and that do not exist.
[[nodiscard]] std::vector<std::string> unknown_required_zones(const wire::Declarations& declarations);

}  // namespace varde::evaluate
