#pragma once
#include "config/settings.hpp"
#include "ports/baseline_repository.hpp"
#include "ports/event_log.hpp"
#include "ports/log_sink.hpp"
#include "time/clock.hpp"
#include "time/zone.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace varde::rules {

/// What the job works with. All of it outlives the job.
struct BaselinePorts {
    ports::EventLog& events;
    ports::BaselineRepository& baselines;
    const time::Clock& clock;
    ports::LogSink& log;
};

/// One look at all homes.
struct BaselineRound {
    std::int64_t scopes = 0;    ///< with an event
    std::int64_t computed = 0;  ///< of these, counted anew and stored
    std::int64_t ready = 0;     ///< of those
    std::string error;          ///< empty: the round was finished
};

/// Keeps baseline_model_status up to date from stored events (gating/baseline_count.hpp says what is counted). A home is counted day by
/// day, so that memory does not grow with its history, and stored when it is done; a round that ends early loses nothing of the homes
/// before. Homes that need nothing cost nothing (gating::is_due).
///
/// Rounds are made by start() on a thread of its own, or by step() and compute() on the caller's; not both.
class BaselineJob {
  public:
    BaselineJob(config::BaselineSettings settings, BaselinePorts ports);
    ~BaselineJob();  ///< stop()
    BaselineJob(const BaselineJob&) = delete;
    BaselineJob& operator=(const BaselineJob&) = delete;

    /// A round at once and then every settings.every; after one that failed the next comes within a minute. Nothing if `every` is 0. Once.
    void start();
    /// Gives a round in progress up at its next day of events and ends the thread. Idempotent.
    void stop();

    /// A round if settings.every has passed since the last one, by the clock; nullopt if not.
    std::optional<BaselineRound> step();

    enum class Which { due, all };
    /// A round over the scopes that `only` admits.
    BaselineRound compute(Which which, const core::ScopeFilter& only = {});

  private:
    void loop();
    [[nodiscard]] bool stopping() const;
    core::Result<void> attempt(Which which, const core::ScopeFilter& only, BaselineRound& round);
    core::Result<core::BaselineStatus> count(const core::Scope& scope, const std::vector<core::Window>& days, core::Instant now);
    void tell_change(const core::BaselineStatus* before, const core::BaselineStatus& now) const;

    const config::BaselineSettings settings_;
    BaselinePorts ports_;
    const time::Zone zone_;
    std::optional<core::Instant> last_step_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace varde::rules
