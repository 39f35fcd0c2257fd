#include "store/append_batch.hpp"

#include <bit>

namespace varde::store {

AppendBatch::AppendBatch(std::span<const core::Event> events, std::int64_t seed)
    : events_{events}, slots_(std::bit_ceil(2 * events.size() + 1)) {
    hashes_.reserve(events.size());
    first_of_.reserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        const EventIdentity identity = identity_of(events[i]);
        hashes_.push_back(key_hash_of(identity, seed));
        std::uint32_t& slot = slots_[slot_of(hashes_[i], identity)];
        if (slot == 0) slot = static_cast<std::uint32_t>(i + 1);
        first_of_.push_back(slot - 1);
    }
}

std::size_t AppendBatch::slot_of(std::int64_t key_hash, const EventIdentity& identity) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(key_hash) & mask;
    while (slots_[slot] != 0) {
        const std::size_t i = slots_[slot] - 1;
        if (hashes_[i] == key_hash && identity_of(events_[i]) == identity) break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

std::optional<std::size_t> AppendBatch::find(std::int64_t key_hash, const EventIdentity& identity) const {
    const std::uint32_t found = slots_[slot_of(key_hash, identity)];
    if (found == 0) return std::nullopt;
    return found - 1;
}

}  // namespace varde::store
