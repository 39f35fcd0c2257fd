#pragma once
#include "ingest/event_reader.hpp"
#include "ingest/room_derivation.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Between the two halves of EventReader: what the JSON said, and whether that is an event. Not for other modules.
namespace varde::ingest {

/// The fields of an event as they stand in the JSON; views into the parser's buffers.
struct Fields {
    using Text = std::optional<std::string_view>;
    Text id, timestamp, category, arrives;
    Text org_id, home_id, subject_id, stream_id, room_id;
    Text payload;  ///< raw JSON
    RoomWords room_words;
    int payload_depth = 0;
};

/// Records a problem of the item; the first one is reported.
void note(ports::IntakeItem& item, std::string_view field, std::string problem);

/// From what the JSON says to a valid event, or a problem noted in out.item. `rooms` may be nullptr: nothing is known of any home.
void judge(const Fields& fields, const ports::IntakeContext& context, const config::HostConfig::Ingest& limits,
           const RoomPicture* rooms, Reading& out);

}  // namespace varde::ingest
