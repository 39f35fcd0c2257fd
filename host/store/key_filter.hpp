#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace varde::store {

/// Which parts of the event table may hold a key, answered from memory: a Bloom filter for each bucket of 131,072 rows. That of the newest
/// bucket is 256 KiB and stays in the processor's cache. Those before it are cut the other way round ("bit-sliced"): word w of a group
/// holds bit w of 64 filters, so that ANDing 6 words, all in one memory page, tests 64 buckets, that is 8.4 million rows. 16 bits a key, at
/// most one wrong "maybe" in 500 full buckets; never a wrong "no". Not thread-safe.
class KeyFilter {
  public:
    static constexpr int bucket_bits = 17;
    static constexpr int buckets_per_group = 64;

    [[nodiscard]] static std::int64_t bucket_of(std::int64_t seq) { return seq >> bucket_bits; }

    /// seq >= 0. Adding a key twice changes nothing. Fast in the newest bucket.
    void add(std::int64_t seq, std::int64_t key_hash);
    /// Calls visit(bucket) for every bucket that may hold the key, oldest first.
    template <class Visit>
    void buckets_with(std::int64_t key_hash, Visit&& visit) const;
    /// Asks the processor to fetch what buckets_with() will read; worth it a few keys ahead.
    void prefetch(std::int64_t key_hash) const;
    void clear();

  private:
    static constexpr int probes = 6;
    static constexpr int word_bits = 21;      // a filter has 2^21 bits: 16 for each of 2^17 keys
    static constexpr int page_word_bits = 9;  // 2^9 words of a group = 4 KiB
    struct Free {
        void operator()(std::uint64_t* words) const { std::free(words); }
    };
    using Words = std::unique_ptr<std::uint64_t[], Free>;

    /// Which bits of a filter a key sets: the high bits of the hash choose a part of 2^9 bits, double hashing the bits in it.
    struct Positions {
        explicit Positions(std::int64_t key_hash)
            : hash{static_cast<std::uint64_t>(key_hash)},
              part{static_cast<std::size_t>(hash >> (64 - word_bits + page_word_bits) << page_word_bits)},
              first{hash << (word_bits - page_word_bits)},
              step{(hash * 0x9e3779b97f4a7c15ULL) | 1} {}
        [[nodiscard]] std::size_t at(int probe) const {
            return part | static_cast<std::size_t>((first + static_cast<std::uint64_t>(probe) * step) >> (64 - page_word_bits));
        }
        std::uint64_t hash;
        std::size_t part;
        std::uint64_t first;
        std::uint64_t step;
    };

    [[nodiscard]] bool newest_may_have(const Positions& positions) const;
    void slice_newest();
    [[nodiscard]] Words& group_of(std::int64_t bucket);

    std::int64_t newest_bucket_ = -1;
    std::vector<std::uint64_t> newest_;  // 64 bits of the newest bucket's filter a word
    std::vector<Words> groups_;
};

inline bool KeyFilter::newest_may_have(const Positions& positions) const {
    if (newest_bucket_ < 0) return false;
    for (int probe = 0; probe < probes; ++probe) {
        const std::size_t bit = positions.at(probe);
        if ((newest_[bit / 64] >> (bit % 64) & 1) == 0) return false;
    }
    return true;
}

template <class Visit>
void KeyFilter::buckets_with(std::int64_t key_hash, Visit&& visit) const {
    const Positions positions{key_hash};
    for (std::size_t group = 0; group < groups_.size(); ++group) {
        std::uint64_t maybe = ~0ULL;
        for (int probe = 0; probe < probes && maybe != 0; ++probe) maybe &= groups_[group][positions.at(probe)];
        for (; maybe != 0; maybe &= maybe - 1) {
            visit(static_cast<std::int64_t>(group) * buckets_per_group + __builtin_ctzll(maybe));
        }
    }
    if (newest_may_have(positions)) visit(newest_bucket_);
}

}  // namespace varde::store
