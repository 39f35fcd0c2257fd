#include "schedule/due_slots.hpp"

#include <algorithm>

namespace varde::schedule {
namespace {

using core::Instant;
using core::Microseconds;

constexpr Microseconds kLeastGrace{std::chrono::minutes{1}};
constexpr Microseconds kMostGrace{std::chrono::hours{1}};

/// A list that keeps its newest members.
class Newest {
  public:
    Newest(std::vector<Instant>& out, std::size_t keep) : out_{out}, keep_{keep} {}
    void add(Instant slot) {
        // Twice the size before the older half goes: a move a slot on the average.
        if (out_.size() == 2 * keep_) out_.erase(out_.begin(), out_.end() - static_cast<std::ptrdiff_t>(keep_));
        out_.push_back(slot);
    }
    void finish() {
        if (out_.size() > keep_) out_.erase(out_.begin(), out_.end() - static_cast<std::ptrdiff_t>(keep_));
    }

  private:
    std::vector<Instant>& out_;
    std::size_t keep_;
};

std::int64_t slots_between(const TriggerTimes& times, Instant after, Instant until) {
    std::int64_t count = 0;
    for (auto slot = times.next(after); slot && *slot <= until && count <= kMostCounted; slot = times.next(*slot)) ++count;
    return count;
}

/// An instant after which there are at least `wanted` slots up to `until`, and at most kMostCounted; not before `floor`.
Instant shortly_before(const TriggerTimes& times, Instant floor, Instant until, std::int64_t wanted) {
    Instant few = until;   // too few slots after it
    Instant many = floor;  // more than are counted
    Microseconds step{std::chrono::seconds{1}};
    while (until - step > floor) {
        const auto count = slots_between(times, until - step, until);
        if (count > kMostCounted) {
            many = until - step;
            break;
        }
        if (count >= wanted) return until - step;
        few = until - step;
        step *= 2;
    }
    while (few - many > Microseconds{1}) {
        const auto middle = many + (few - many) / 2;
        const auto count = slots_between(times, middle, until);
        if (count > kMostCounted) {
            many = middle;
        } else if (count >= wanted) {
            return middle;
        } else {
            few = middle;
        }
    }
    return few;
}

}  // namespace

Microseconds grace_of(const core::Schedule& schedule, const TriggerTimes& times, Instant at) {
    if (schedule.policy.misfire_grace) return *schedule.policy.misfire_grace;
    const auto period = times.period(at);
    return period ? std::clamp(*period, kLeastGrace, kMostGrace) : kMostGrace;
}

DueSlots due_slots(const core::Schedule& schedule, const TriggerTimes& times, Instant first, Instant now, std::size_t keep) {
    const auto& policy = schedule.policy;
    const auto grace = grace_of(schedule, times, first);
    DueSlots due;
    Newest late{due.newest_late, keep};
    Newest timely{due.newest_timely, keep};
    const auto count = [&](Instant slot) {
        if ((policy.window_since && slot < *policy.window_since) || (policy.window_until && slot >= *policy.window_until)) {
            due.outside_window.add(slot);
        } else if (!times.allows(slot)) {
            due.excluded.add(slot);
        } else if (now - slot > grace) {
            due.late.add(slot);
            late.add(slot);
        } else {
            due.timely.add(slot);
            timely.add(slot);
        }
    };
    std::optional<Instant> slot = first;
    for (std::int64_t counted = 0; slot && *slot <= now; slot = times.next(*slot)) {
        if (counted++ == kMostCounted) {
            const auto from = shortly_before(times, *slot, now, static_cast<std::int64_t>(keep));
            if (from > *slot) {
                (due.late.count > 0 ? due.late : due.timely).more = true;
                slot = times.next(from);
                if (!slot || *slot > now) break;
            }
        }
        count(*slot);
    }
    due.next = slot;
    late.finish();
    timely.finish();
    return due;
}

}  // namespace varde::schedule
