#include "evaluate/worker_deadline.hpp"

#include <algorithm>

namespace varde::evaluate {

WorkerDeadline::Verdict WorkerDeadline::judge(Instant now, const ReadShare& share) {
    if (now < due_) return Verdict::wait;
    if (!half_) {
        half_ = true;
        at_half_ = share();
        due_ = std::max(limit_, now);
        if (now < limit_) return Verdict::wait;
    }
    const CpuShare used = share();
    if (used.cpu - at_half_.cpu >= timeout_ / 2) return Verdict::expired;
    const auto waited = used.run_delay - at_half_.run_delay;
    const Instant fair = begun_ + timeout_ + 2 * waited;
    const Instant last = begun_ + 3 * timeout_;
    if (now < fair && now < last) {
        due_ = std::min(fair, last);
        return Verdict::wait;
    }
    return now < fair ? Verdict::starved : Verdict::expired;
}

}  // namespace varde::evaluate
