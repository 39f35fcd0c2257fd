#include "time/zone_offsets.hpp"

#include <map>
#include <mutex>
#include <string>

namespace varde::time {

ZoneOffsets::ZoneOffsets(const Zone& zone) {
    constexpr std::int64_t kMicros = 1'000'000;
    const auto changes =
        zone.transitions(core::instant_from_us(kCalendarStart * kMicros), core::instant_from_us(kCalendarEnd * kMicros));
    spans_.push_back({kCalendarStart, kCalendarEnd, changes.front().offset_seconds, changes.front().offset_seconds});
    for (const auto& change : changes) {
        auto& last = spans_.back();
        // A change of name or of the summer flag alone is no change of the clock.
        if (change.offset_seconds == last.offset) continue;
        const auto at = core::to_us(change.at) / kMicros;
        last.end = at;
        spans_.push_back({at, kCalendarEnd, change.offset_seconds, last.offset});
    }
    constexpr auto kLength = static_cast<std::size_t>(kCalendarEnd - kCalendarStart);
    first_of_.resize((kLength >> kBucketBits) + 1);
    std::size_t span = 0;
    for (std::size_t bucket = 0; bucket < first_of_.size(); ++bucket) {
        const auto start = kCalendarStart + (static_cast<std::int64_t>(bucket) << kBucketBits);
        while (spans_[span].end <= start) ++span;
        first_of_[bucket] = static_cast<std::uint16_t>(span);
    }
}

std::shared_ptr<const ZoneOffsets> ZoneOffsets::find(std::string_view iana_name) {
    static std::mutex guard;
    static std::map<std::string, std::shared_ptr<const ZoneOffsets>, std::less<>> known;
    {
        const std::scoped_lock lock{guard};
        if (const auto found = known.find(iana_name); found != known.end()) return found->second;
    }
    // Made outside of the lock: two threads may make the same table, one of them is kept.
    const auto zone = Zone::find(iana_name);
    if (!zone) return nullptr;
    auto made = std::make_shared<const ZoneOffsets>(*zone);
    const std::scoped_lock lock{guard};
    return known.emplace(iana_name, std::move(made)).first->second;
}

}  // namespace varde::time
