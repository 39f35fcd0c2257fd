#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "ingest/room_derivation.hpp"
#include "ports/event_intake.hpp"
#include "ports/event_log.hpp"
#include "ports/log_sink.hpp"
#include "time/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace varde::ingest {

/// Makes events durable with one writer thread: submissions that arrive while a commit runs share the next one, up to
/// max_commit_events. A submission is never split over commits.
///
/// - The queue is bounded by max_queued_events; above it, submissions get Errc::overloaded at once.
/// - No submission waits longer than commit_timeout for its answer: it then gets Errc::database_unavailable, and may still become
///   durable (its repetition is answered `deduped`).
/// - After a commit failed with database_unavailable, one submission at a time is let through to try again, the others fail at once.
/// - An event that the database refuses fails its own submission only: the group is then committed one by one.
///
/// Thread-safe. References must outlive it. Two threads: the writer and the one that watches over commit_timeout.
class GroupCommit final : public ports::EventIntake {
  public:
    /// Called on the writer thread with the categories of events that have become durable and were not there before; must not block.
    using Stored = std::function<void(const std::vector<std::string>& categories)>;
    /// `rooms` is asked once a submission.
    GroupCommit(ports::EventLog& log, const time::Clock& clock, const config::HostConfig::Ingest& settings, ports::LogSink& sink,
                RoomSource rooms = {}, Stored stored = {});
    ~GroupCommit() override;  ///< stop(0 ms), then waits for the commit in progress

    void submit(std::string_view body, ports::BodyFormat format, const ports::IntakeContext& context, Done done) override;
    core::Result<std::vector<ports::Appended>> store(std::vector<core::Event> events) override;

    /// Takes no more submissions (Errc::stopping), waits up to `bound` for the queued ones to be durable, and answers the rest with
    /// Errc::stopping. Afterwards every callback has returned. May be called again. Not from a callback.
    void stop(std::chrono::milliseconds bound);

    struct State {
        std::size_t queued_events = 0;  ///< waiting or in the running commit
        std::size_t queue_limit = 0;
        std::uint64_t stored = 0;  ///< since start
        std::uint64_t deduped = 0;
        std::uint64_t refused = 0;  ///< items that were not valid
        std::uint64_t commits = 0;
        bool database_ok = true;  ///< the last commit did not fail
    };
    [[nodiscard]] State state() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::ingest
