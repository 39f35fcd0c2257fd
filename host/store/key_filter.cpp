#include "store/key_filter.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace varde::store {

KeyFilter::Words& KeyFilter::group_of(std::int64_t bucket) {
    const auto group = static_cast<std::size_t>(bucket / buckets_per_group);
    while (groups_.size() <= group) {
        constexpr std::size_t huge_page = std::size_t{2} << 20;
        constexpr std::size_t bytes = sizeof(std::uint64_t) << word_bits;
        Words words{static_cast<std::uint64_t*>(std::aligned_alloc(huge_page, bytes))};
        if (!words) throw std::bad_alloc{};
        ::madvise(words.get(), bytes,
                  MADV_HUGEPAGE);  // every lookup goes to a random place: with small pages each is a walk more
        std::memset(words.get(), 0, bytes);
        groups_.push_back(std::move(words));
    }
    return groups_[group];
}

/// Moves the newest bucket's filter to the others.
void KeyFilter::slice_newest() {
    if (newest_bucket_ < 0) return;
    Words& words = group_of(newest_bucket_);
    const std::uint64_t slice = 1ULL << (newest_bucket_ % buckets_per_group);
    for (std::size_t i = 0; i < newest_.size(); ++i) {
        for (std::uint64_t bits = newest_[i]; bits != 0; bits &= bits - 1) {
            words[i * 64 + static_cast<std::size_t>(__builtin_ctzll(bits))] |= slice;
        }
    }
}

void KeyFilter::add(std::int64_t seq, std::int64_t key_hash) {
    const std::int64_t bucket = bucket_of(seq);
    if (bucket > newest_bucket_) {
        slice_newest();
        newest_.assign((std::size_t{1} << word_bits) / 64, 0);
        newest_bucket_ = bucket;
    }
    const Positions positions{key_hash};
    if (bucket == newest_bucket_) {
        for (int probe = 0; probe < probes; ++probe) {
            const std::size_t bit = positions.at(probe);
            newest_[bit / 64] |= 1ULL << (bit % 64);
        }
        return;
    }
    Words& words = group_of(bucket);
    const std::uint64_t slice = 1ULL << (bucket % buckets_per_group);
    for (int probe = 0; probe < probes; ++probe) words[positions.at(probe)] |= slice;
}

void KeyFilter::prefetch(std::int64_t key_hash) const {
    const Positions positions{key_hash};
    for (const Words& words : groups_) {
        for (int probe = 0; probe < probes; ++probe) __builtin_prefetch(&words[positions.at(probe)]);
    }
}

void KeyFilter::clear() {
    newest_bucket_ = -1;
    groups_.clear();
}

}  // namespace varde::store
