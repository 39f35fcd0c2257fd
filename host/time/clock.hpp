#pragma once
#include "core/instant.hpp"

#include <atomic>
#include <cstdint>

namespace varde::time {

/// Where the host gets "now" from. Passed to whoever needs it; nothing else reads a clock. Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual core::Instant now() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] core::Instant now() const override;
};

/// A clock that stands still until it is set: simulations and tests. Thread-safe.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(core::Instant start) : now_us_{core::to_us(start)} {}
    [[nodiscard]] core::Instant now() const override { return core::instant_from_us(now_us_.load()); }
    void set(core::Instant now) { now_us_.store(core::to_us(now)); }

  private:
    std::atomic<std::int64_t> now_us_;
};

}  // namespace varde::time
