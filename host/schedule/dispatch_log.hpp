#pragma once
#include "core/run.hpp"
#include "ports/log_sink.hpp"
#include "ports/run_repository.hpp"
#include "ports/schedule_repository.hpp"

namespace varde::schedule {

/// The log events of schedules and runs (docs/log-events.md). Thread-safe.
class DispatchLog {
  public:
    explicit DispatchLog(ports::LogSink& log) : log_{log} {}

    void working(const ports::JobHost& host, int workers, bool alone) const;
    void run_started(const core::Run& run) const;
    /// The end of an attempt as it was stored.
    void run_ended(const ports::ClaimedRun& claimed, const ports::FinishedRun& end) const;
    void run_fenced(std::int64_t run_id) const;
    /// A run of a host that went away, as it is now.
    void run_lost(const core::Run& run) const;
    void left_out(const core::Run& row) const;
    /// What an event did to a one-off.
    void heeded(const ports::HeededEvent& what) const;
    void fenced(const ports::JobHost& host, core::Microseconds silent) const;
    void store_failed(std::string_view doing, const core::Error& error) const;
    void store_back(core::Microseconds away) const;
    /// Nothing, if the rules are those of before.
    void zones_followed(const std::string& tzdata, const ports::ScheduleRepository::ZonesFollowed& followed) const;
    void cleaned_up(std::int64_t rows) const;

  private:
    ports::LogSink& log_;
};

}  // namespace varde::schedule
