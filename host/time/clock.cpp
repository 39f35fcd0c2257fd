#include "time/clock.hpp"

namespace varde::time {

core::Instant SystemClock::now() const {
    return std::chrono::time_point_cast<core::Microseconds>(std::chrono::system_clock::now());
}

}  // namespace varde::time
