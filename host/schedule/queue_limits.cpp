#include "schedule/queue_limits.hpp"

#include <algorithm>

namespace varde::schedule {

void QueueLimits::begin(core::Microseconds now, const std::map<std::string, int, std::less<>>& here) {
    here_ = here;
    for (const auto& [name, limit] : limits_) {
        if (limit.per_minute == 0) continue;
        auto& bucket = buckets_[name];
        const auto most = std::max(1.0, limit.per_minute / 60.0);
        if (bucket.filled_at.count() < 0) bucket = {most, now};
        const auto passed = std::chrono::duration<double>(std::max(core::Microseconds{0}, now - bucket.filled_at)).count();
        bucket.tokens = std::min(most, bucket.tokens + passed * limit.per_minute / 60.0);
        bucket.filled_at = now;
    }
}

int QueueLimits::rest(std::string_view queue, int most) const {
    const auto limit = limits_.find(queue);
    if (limit == limits_.end()) return most;
    if (limit->second.workers > 0) {
        const auto here = here_.find(queue);
        most = std::min(most, limit->second.workers - (here == here_.end() ? 0 : here->second));
    }
    if (limit->second.per_minute > 0) {
        const auto bucket = buckets_.find(queue);
        most = std::min(most, bucket == buckets_.end() ? 0 : static_cast<int>(bucket->second.tokens));
    }
    return std::max(0, most);
}

bool QueueLimits::room(std::string_view queue) const { return rest(queue, 1) > 0; }

void QueueLimits::take(std::string_view queue) {
    const auto limit = limits_.find(queue);
    if (limit == limits_.end()) return;
    ++here_[limit->first];
    if (limit->second.per_minute > 0) buckets_[limit->first].tokens -= 1;
}

std::vector<std::string> QueueLimits::full() const {
    std::vector<std::string> names;
    for (const auto& [name, limit] : limits_) {
        if (!room(name)) names.push_back(name);
    }
    return names;
}

}  // namespace varde::schedule
