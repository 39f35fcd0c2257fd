#pragma once
#include "core/error.hpp"
#include "core/event.hpp"
#include "ports/event_log.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::ports {

enum class BodyFormat { single, array, ndjson };  ///< one JSON object; a JSON array of them; one JSON object a line

/// Who sends: the scope filter of the token fills what an event leaves out and refuses what it may not write.
struct IntakeContext {
    core::ScopeFilter allowed;
    std::string stream_id = "prod";  ///< for events that do not name one
    core::Instant received_at{};
    /// False for file imports of old recordings: no check against ingest.max_future.
    bool check_future = true;
};

/// What became of item i of a body.
struct IntakeItem {
    std::string event_id;  ///< as far as it could be read
    bool stored = false;   ///< durable: this time (deduped false) or before (deduped true)
    bool deduped = false;
    std::string field;    ///< the field at fault, e.g. "timestamp"; empty if stored
    std::string problem;  ///< "timestamp names a date that does not exist"; empty if stored
};

/// Takes events in: reads, validates, and makes them durable. Single events that arrive together share a commit. Thread-safe.
class EventIntake {
  public:
    virtual ~EventIntake() = default;
    using Done = std::function<void(core::Result<std::vector<IntakeItem>>)>;

    /// Reads `body` on the calling thread; `done` is called once, on this thread if nothing needs storing or the body is unreadable
    /// (Errc::invalid_argument, too_large), else on the intake's thread once the valid items are durable. Errc::overloaded or
    /// database_unavailable: no item of the body was stored for certain; the sender repeats it. Never waits.
    virtual void submit(std::string_view body, BodyFormat format, const IntakeContext& context, Done done) = 0;

    /// The same for events that are already read. Blocks until durable.
    virtual core::Result<std::vector<Appended>> store(std::vector<core::Event> events) = 0;
};

}  // namespace varde::ports
