#pragma once
#include "config/settings.hpp"
#include "core/incident.hpp"
#include "core/verdict.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace varde::evaluate {

/// What a failure says about the rule.
enum class FailureWeight {
    none,         ///< nothing: the machine, the host, or a file that cannot be used at all
    alive,        ///< the rule failed and its worker lives on
    lost_worker,  ///< it cost a worker process
    violation,    ///< a forbidden system call: no accident
};
[[nodiscard]] FailureWeight weight_of(const core::Failed& failed);

/// The circuit breaker of one (rule, plugin bytes): decides whether a failing rule is still asked. A state machine without I/O.
///
///     healthy --failure--> suspect --lost worker--> backing_off --lost worker--> backing_off ...
///     any of these --consecutive failures, lost workers within window, or a violation--> quarantined
///     quarantined --until has passed--> probing --`probes` sound answers--> suspect --clean answers--> healthy
///                                       probing --a failure--> quarantined, for twice as long
///
/// Times are first_back_off * 2^level, at most max_back_off, and then up to 20 % shorter or longer, so that rules that fell together do
/// not come back together. A quarantine starts at level 5 (32 times first_back_off) at least: one that ends before the next run is none.
/// Ten clean answers halve the level, also after a quarantine: who falls again soon stays out for longer.
class Breaker {
  public:
    using Settings = config::HostConfig::Breaker;

    /// Goes on where `record` stopped. The settings may be others than those it was made with.
    Breaker(const Settings& settings, core::BreakerRecord record);

    enum class Turn {
        ask,    ///< evaluate it
        probe,  ///< evaluate it and drop the answer; at most probes_left() at once
        wait,   ///< do not ask it
    };
    /// Whether the rule is to be asked at `now`. A quarantine that is over becomes probing. A clock that was set back does not make a
    /// rule wait for longer than its back-off could be.
    [[nodiscard]] Turn turn(core::Instant now);
    /// Sound answers that are still missing while probing, else 0.
    [[nodiscard]] std::uint32_t probes_left() const;

    /// The rule answered, and the answer was checked.
    void answered(core::Instant now);

    struct Failure {
        FailureWeight weight = FailureWeight::none;
        std::string reason;  ///< for people: "segmentation_fault: SIGSEGV ..."
        std::string incident_id;
    };
    /// The rule failed. `unit` in [0, 1): where in the 20 % the time lies. Answers and failures of a quarantined rule, which was asked
    /// before it fell, change nothing.
    ///
    /// Failures that left the worker alive only count in a row, not within the window: a rule that cannot judge one odd home and says
    /// so must not be taken away from all the others. A lost worker is another matter: it delays everybody.
    void failed(const Failure& failure, core::Instant now, double unit);

    /// As if nothing had ever happened.
    void release(core::Instant now);

    [[nodiscard]] const core::BreakerRecord& record() const { return record_; }

  private:
    void enter(core::BreakerState state, core::Instant now);
    void open(core::Instant now, double unit);
    void count_lost_worker(core::Instant now);
    [[nodiscard]] std::chrono::microseconds back_off() const;
    [[nodiscard]] std::uint32_t next_level() const;

    Settings settings_;
    core::BreakerRecord record_;
};

/// backing_off, quarantined or probing: answers of the rule are not used at present.
[[nodiscard]] bool is_out(core::BreakerState state);

}  // namespace varde::evaluate
