#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"

#include <string_view>

namespace varde::time {

/// Elapsed time on the UTC line, which daylight saving never touches: slot k is anchor + k * period, for every whole k. There is no
/// drift, because a slot follows from the anchor and never from when something ran. Immutable, thread-safe.
class Interval {
  public:
    /// Period 1 ms to 400 days; the anchor is any instant of a slot.
    [[nodiscard]] static core::Result<Interval> make(core::Microseconds period, core::Instant anchor = {});
    /// @every 90m or @every 1h30m/5m: period, and phase after the epoch. Units d h m s ms us, decimals allowed (63.5s).
    [[nodiscard]] static core::Result<Interval> parse(std::string_view text);

    /// The first slot strictly after.
    [[nodiscard]] core::Instant next(core::Instant after) const;
    [[nodiscard]] core::Microseconds period() const { return period_; }

  private:
    Interval(core::Microseconds period, core::Instant anchor) : period_{period}, anchor_{anchor} {}
    core::Microseconds period_;
    core::Instant anchor_;
};

}  // namespace varde::time
