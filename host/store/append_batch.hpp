#pragma once
#include "core/event.hpp"
#include "store/event_key.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace varde::store {

/// The events of one append() with their hashes, and which of them repeat an earlier one of the same call. Points into `events`.
class AppendBatch {
  public:
    AppendBatch(std::span<const core::Event> events, std::int64_t seed);

    [[nodiscard]] std::size_t size() const { return events_.size(); }
    [[nodiscard]] const core::Event& event(std::size_t i) const { return events_[i]; }
    [[nodiscard]] std::int64_t key_hash(std::size_t i) const { return hashes_[i]; }
    /// The first event of the batch with the identity of event i; i itself if there is none before it.
    [[nodiscard]] std::size_t first_of(std::size_t i) const { return first_of_[i]; }
    /// The first event of the batch with this identity.
    [[nodiscard]] std::optional<std::size_t> find(std::int64_t key_hash, const EventIdentity& identity) const;

  private:
    /// The slot of the identity: of its first event, or the free one where it would go.
    [[nodiscard]] std::size_t slot_of(std::int64_t key_hash, const EventIdentity& identity) const;

    std::span<const core::Event> events_;
    std::vector<std::int64_t> hashes_;
    std::vector<std::uint32_t> first_of_;
    std::vector<std::uint32_t> slots_;  // open addressing: index + 1 of an event, 0 is free
};

}  // namespace varde::store
