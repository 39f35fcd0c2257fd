#pragma once
#include "ports/log_sink.hpp"
#include "ports/run_repository.hpp"
#include "time/clock.hpp"

#include <mutex>
#include <optional>

namespace varde::schedule {

/// The time that schedules go by: the database's clock, if it has one of its own (PostgreSQL), so that all hosts agree; else this host's.
/// Between two samples it advances with the time since boot, which no step of a clock touches. Thread-safe.
class HostTime final : public time::Clock {
  public:
    HostTime(ports::RunRepository& runs, const time::Clock& host, ports::LogSink& log) : runs_{runs}, host_{host}, log_{log} {}

    [[nodiscard]] core::Instant now() const override;

    /// Reads the database's clock; call it every few seconds. A host whose own clock is off by more than kMostSkew is told of
    /// (`clock_skew`), and so is a step of the host's clock since the last sample (`clock_stepped`). The database's error, if it has one;
    /// the time then goes on from the last sample.
    core::Result<void> sample();

    static constexpr core::Microseconds kMostSkew{std::chrono::seconds{1}};
    static constexpr core::Microseconds kLeastStep{std::chrono::seconds{2}};

    /// Time since boot, in which the machine may have slept; never steps. What leases are measured by.
    [[nodiscard]] static core::Microseconds since_boot();

  private:
    struct Sample {
        core::Instant database;
        core::Microseconds boot;
    };
    void watch_host_clock();

    ports::RunRepository& runs_;
    const time::Clock& host_;
    ports::LogSink& log_;
    mutable std::mutex mutex_;
    std::optional<Sample> sample_;
    std::optional<core::Microseconds> host_minus_boot_;
    bool skewed_ = false;
};

}  // namespace varde::schedule
