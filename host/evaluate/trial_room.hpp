#pragma once
#include "core/verdict.hpp"
#include "evaluate/rule_runner.hpp"
#include "evaluate/worker_nursery.hpp"
#include "ports/evaluator.hpp"
#include "ports/log_sink.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace varde::evaluate {

/// How a new plugin did before it was allowed near live events.
struct TrialResult {
    std::string rule_id;
    std::string sha256;
    std::string params;
    std::shared_ptr<RuleRunner> runner;   ///< with its worker loaded and its rule made; ready to be asked
    std::optional<core::Failed> failure;  ///< why it is turned down
};

/// Loads new plugins into workers of their own, makes the rule, lets it check itself and shows it made-up windows (none, one, many
/// events, out of order, odd payloads, texts of the greatest length), on a thread of its own: a plugin that hangs while it is loaded
/// holds up nobody. A rule may answer a made-up window with an error of its own; what it must not do is crash, hang, let an exception
/// out or break the contract. Thread-safe; all results are taken by one thread.
class TrialRoom {
  public:
    TrialRoom(WorkerNursery& nursery, const RunnerLimits& limits, ports::LogSink& log);
    ~TrialRoom();
    TrialRoom(const TrialRoom&) = delete;
    TrialRoom& operator=(const TrialRoom&) = delete;

    void begin(ports::RuleSpec spec);
    /// The trials that ended since the last call.
    [[nodiscard]] std::vector<TrialResult> take_results();
    /// Waits for a trial to end whose result was not taken yet; false: none did within `patience`.
    [[nodiscard]] bool await_result(std::chrono::milliseconds patience);

  private:
    void work();
    [[nodiscard]] TrialResult run(const ports::RuleSpec& spec);

    WorkerNursery& nursery_;
    RunnerLimits limits_;
    ports::LogSink& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<ports::RuleSpec> waiting_;
    std::vector<TrialResult> results_;
    bool stop_ = false;
    std::thread thread_;
};

/// What is tried out on a rule that declared these things. Scope and window fit `kTrialWindow`. Deterministic.
[[nodiscard]] std::vector<std::vector<core::Event>> made_up_windows(const wire::Declarations& declarations);

}  // namespace varde::evaluate
