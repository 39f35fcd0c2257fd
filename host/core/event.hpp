#pragma once
#include "core/instant.hpp"
#include "core/scope.hpp"

#include <cstdint>
#include <string>

namespace varde::core {

/// One event as it is kept. Validated by ingest/ before it exists; immutable afterwards.
struct Event {
    /// Order of arrival in the whole database, > 0; 0 while not stored. Ties of `time` are broken by it.
    std::int64_t seq = 0;
    /// The client's id: trimmed, 1..200 characters, UUIDs in canonical lower case. Unique per (scope, stream_id).
    std::string event_id;
    Scope scope;
    std::string stream_id = "prod";
    Instant time{};
    /// 1..100 characters.
    std::string category;
    /// The room the host derived, or empty.
    std::string room_id;
    /// JSON text as the client sent it (an object through the API), at most 64 KiB.
    std::string payload = "{}";
    Instant received_at{};
};

}  // namespace varde::core
