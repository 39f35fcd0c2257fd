#pragma once
#include "config/settings.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "ingest/room_derivation.hpp"
#include "ports/event_intake.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::ingest {

struct ImportedEvent {
    core::Event event;
    std::optional<core::Instant> arrives;  ///< when a simulation delivers it, if the file says so
    std::int64_t line = 0;                 ///< where it starts in the file, from 1
};

struct RefusedItem {
    std::int64_t line = 0;
    std::string event_id;  ///< as far as it could be read
    std::string field;     ///< empty: not a field but the JSON is at fault
    std::string problem;
};

struct ImportReport {
    std::int64_t read = 0;  ///< items seen = stored + deduped + refused
    std::int64_t stored = 0;
    std::int64_t deduped = 0;
    std::int64_t refused = 0;
    std::vector<RefusedItem> first_refused;  ///< at most ImportOptions::keep_refused
};

struct ImportOptions {
    ports::IntakeContext context;
    RoomSource rooms;                  ///< asked once a batch
    std::size_t batch_events = 2'000;  ///< 1..10,000
    std::size_t keep_refused = 20;
    std::size_t max_item_bytes = 1u << 20;  ///< a longer line or array element is refused, not read
};

/// Reads the events of a file in batches: JSON lines or one JSON array of objects, each plain or gzip (told by content, not by name).
/// Memory is bounded by one batch. Items that are not valid are counted in the report and left out; an error of `take` ends the reading.
/// Errc::io_failed: the file cannot be read or its gzip data is damaged; invalid_argument: the array is not one.
[[nodiscard]] core::Result<ImportReport> read_event_file(const std::filesystem::path& file,
                                                         const config::HostConfig::Ingest& limits, const ImportOptions& options,
                                                         const std::function<core::Result<void>(std::span<ImportedEvent>)>& take);

/// Stores the events of a file, batch by batch: a batch is durable before the next is read, so an import that broke off is simply
/// repeated. `progress` is called after each batch, on the calling thread. Blocking.
[[nodiscard]] core::Result<ImportReport> import_event_file(const std::filesystem::path& file,
                                                           const config::HostConfig::Ingest& limits, const ImportOptions& options,
                                                           ports::EventIntake& intake,
                                                           const std::function<void(const ImportReport&)>& progress);

}  // namespace varde::ingest
