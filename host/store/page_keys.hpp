#pragma once
#include <cstdint>
#include <vector>

namespace varde::store {

/// The keys of the newest, incomplete page of the event table: those that the table event_keys does not have yet. A page is 16,384 rows.
/// Rows are added in the order of seq, each once; the first one of a new page forgets the page before. Not thread-safe.
class PageKeys {
  public:
    static constexpr int page_bits = 14;

    [[nodiscard]] static std::int64_t page_of(std::int64_t seq) { return seq >> page_bits; }

    void add(std::int64_t seq, std::int64_t key_hash);
    /// Calls visit(seq) for every row that may have this hash: half of it is compared.
    template <class Visit>
    void rows_with(std::int64_t key_hash, Visit&& visit) const;
    void clear();

  private:
    static constexpr std::size_t slots = std::size_t{2} << page_bits;  // never more than half full
    struct Slot {
        std::uint32_t tag = 0;  ///< the high half of the hash
        std::uint32_t row = 0;  ///< place in the page + 1; 0: free
    };
    [[nodiscard]] static std::uint32_t tag_of(std::int64_t key_hash) {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(key_hash) >> 32);
    }
    [[nodiscard]] static std::size_t first_slot(std::int64_t key_hash) { return static_cast<std::uint64_t>(key_hash) % slots; }

    std::int64_t page_ = 0;
    std::vector<Slot> table_ = std::vector<Slot>(slots);  // open addressing
};

inline void PageKeys::add(std::int64_t seq, std::int64_t key_hash) {
    if (page_of(seq) != page_) {
        clear();
        page_ = page_of(seq);
    }
    std::size_t at = first_slot(key_hash);
    while (table_[at].row != 0) at = (at + 1) % slots;
    table_[at] = {tag_of(key_hash), static_cast<std::uint32_t>(seq - (page_ << page_bits)) + 1};
}

template <class Visit>
void PageKeys::rows_with(std::int64_t key_hash, Visit&& visit) const {
    for (std::size_t at = first_slot(key_hash); table_[at].row != 0; at = (at + 1) % slots) {
        if (table_[at].tag == tag_of(key_hash)) visit((page_ << page_bits) + table_[at].row - 1);
    }
}

inline void PageKeys::clear() {
    table_.assign(slots, Slot{});
    page_ = 0;
}

}  // namespace varde::store
