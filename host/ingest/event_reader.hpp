#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "ingest/room_derivation.hpp"
#include "ports/event_intake.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace varde::ingest {

/// One event as it was read. `event` is whole only if `item.problem` is empty.
struct Reading {
    core::Event event;
    /// When a simulation delivers the event: the optional key "arrives" of recorded scenarios. Not stored.
    std::optional<core::Instant> arrives;
    ports::IntakeItem item;
    [[nodiscard]] bool valid() const { return item.problem.empty(); }
};

/// A body as it was read: every item, and the events of the valid ones.
struct ReadBatch {
    std::vector<ports::IntakeItem> items;
    std::vector<core::Event> events;
    std::vector<std::uint32_t> item_of;  ///< items[item_of[i]] is about events[i]
};

/// Reads and validates events (docs/http.md, "An event"). Keeps its buffers between calls: one thread at a time.
///
/// Broken JSON is the error of the whole body, except for NDJSON, where it is the problem of its line. A payload is kept as the
/// client's text, but was read to its end: it is valid JSON and valid UTF-8. Unknown keys are ignored, the last of repeated keys
/// counts.
class EventReader {
  public:
    explicit EventReader(const config::HostConfig::Ingest& limits);
    ~EventReader();
    EventReader(EventReader&&) noexcept;
    EventReader& operator=(EventReader&&) noexcept;

    /// Errc::invalid_argument: the JSON is unreadable. Errc::too_large: more than max_batch_events items. Blank lines of NDJSON are
    /// no items. `rooms`: what is known of the rooms of homes (derive_room); nullptr: nothing.
    [[nodiscard]] core::Result<ReadBatch> read(std::string_view body, ports::BodyFormat format,
                                               const ports::IntakeContext& context, const RoomPicture* rooms = nullptr);

    /// One JSON object. Broken JSON is the item's problem here.
    [[nodiscard]] Reading read_one(std::string_view text, const ports::IntakeContext& context,
                                   const RoomPicture* rooms = nullptr);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace varde::ingest
