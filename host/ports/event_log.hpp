#pragma once
#include "core/error.hpp"
#include "core/event.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ports {

/// What became of one event of a batch.
struct Appended {
    std::int64_t seq = 0;  ///< of the stored row: the new one, or the first one if deduped
    bool deduped = false;
};

struct EventQuery {
    core::ScopeFilter scope;
    std::optional<std::string> stream_id;
    std::optional<std::string> category;
    std::optional<core::Instant> since;   ///< time >= since
    std::optional<core::Instant> until;   ///< time < until
    std::optional<core::Instant> before;  ///< time < before
    int limit = 100;                      ///< 1..1000
};

/// The append-only log of received events. Implemented by store/, faked in tests.
/// Blocking: call on a database thread only. Thread-safe; each call leases its own session.
class EventLog {
  public:
    virtual ~EventLog() = default;

    /// Stores 1..10,000 events in one durable transaction, in order. An event whose (scope, stream_id, event_id) is already stored
    /// is not stored again and reported as deduped, also within one call. Result i is about event i. On an error nothing was stored
    /// and the call may be repeated. `seq` of the given events is ignored; stored rows get increasing ones.
    virtual core::Result<std::vector<Appended>> append(std::span<const core::Event> events) = 0;

    /// Calls `visit` for up to `limit` events with seq > after, in seq order; returns the last seq visited, or `after`.
    /// Commit order is seq order: a later call never finds a seq below one already seen.
    virtual core::Result<std::int64_t> read_after(std::int64_t after, std::size_t limit,
                                                  const std::function<void(const core::Event&)>& visit) = 0;

    /// Calls `visit` for every event of the scope with since <= time < until, ordered by (time, seq).
    virtual core::Result<void> read_range(const core::Scope& scope, core::Window range,
                                          const std::function<void(const core::Event&)>& visit) = 0;

    /// The newest event (time, then lowest seq) of the scope in these categories (empty: all) and stream (empty: any), at any age,
    /// with time < before.
    virtual core::Result<std::optional<core::Event>> latest(const core::Scope& scope, std::span<const std::string> categories,
                                                            const std::string& stream_id, core::Instant before) = 0;

    /// The lowest seq whose event has time >= since, or the last seq + 1: where a reader of recent events starts.
    virtual core::Result<std::int64_t> first_seq_since(core::Instant since) = 0;

    /// Every scope that has an event, or had one before prune().
    virtual core::Result<std::vector<core::Scope>> scopes() = 0;

    /// Newest first by time.
    virtual core::Result<std::vector<core::Event>> list(const EventQuery& query) = 0;

    /// Deletes up to `limit` (1..10,000) events with time < before, of each scope the oldest first, and returns how many went. The event
    /// with the highest seq always stays, so that no seq is given twice. An event that went is new if it is sent again.
    virtual core::Result<std::int64_t> prune(core::Instant before, std::int64_t limit) = 0;
};

}  // namespace varde::ports
