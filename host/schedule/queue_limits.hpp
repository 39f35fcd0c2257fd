#pragma once
#include "config/settings.hpp"
#include "core/instant.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace varde::schedule {

/// How many more runs of a queue this host may start: at most so many at once, at most so many a second (a token bucket that holds one
/// second's worth, at least one). Not thread-safe.
class QueueLimits {
  public:
    using Limits = std::map<std::string, config::HostConfig::Jobs::Queue, std::less<>>;
    explicit QueueLimits(Limits limits) : limits_{std::move(limits)} {}

    /// Forgets what was taken and looks anew: `here` is how many runs of each queue are on this host. `now` never goes back.
    void begin(core::Microseconds now, const std::map<std::string, int, std::less<>>& here);
    /// Whether one more may start, as things stand.
    [[nodiscard]] bool room(std::string_view queue) const;
    /// One more was started.
    void take(std::string_view queue);
    /// Queues without room.
    [[nodiscard]] std::vector<std::string> full() const;
    /// Queues with limits.
    [[nodiscard]] const Limits& limits() const { return limits_; }
    /// How many more of this queue may start, of at most `most`.
    [[nodiscard]] int rest(std::string_view queue, int most) const;

  private:
    struct Bucket {
        double tokens = 1;
        core::Microseconds filled_at{-1};
    };
    Limits limits_;
    std::map<std::string, int, std::less<>> here_;
    std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace varde::schedule
