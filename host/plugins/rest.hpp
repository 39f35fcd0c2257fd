#pragma once
#include "core/instant.hpp"

#include <algorithm>
#include <chrono>

namespace varde::plugins {

/// How long nothing happened. Copes with a clock that is set back: then the rest begins anew.
class Rest {
  public:
    /// Something happened at `at`; later than `now` counts as now.
    void disturb(core::Instant at, core::Instant now) { since_ = std::min(at, now); }
    [[nodiscard]] bool lasts(std::chrono::milliseconds quiet, core::Instant now) {
        since_ = std::min(since_, now);
        return now - since_ >= quiet;
    }

  private:
    core::Instant since_{};
};

}  // namespace varde::plugins
