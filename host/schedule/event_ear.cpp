#include "schedule/event_ear.hpp"

#include "schedule/event_decision.hpp"
#include "schedule/fault_point.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace varde::schedule {

using core::Result;

bool EventEar::stored(const std::vector<std::string>& categories) {
    const std::lock_guard lock{mutex_};
    const bool heard = std::ranges::any_of(categories, [this](const auto& name) { return categories_.contains(name); });
    stored_ = stored_ || heard;
    return heard;
}

void EventEar::schedules_changed() {
    const std::lock_guard lock{mutex_};
    changed_ = true;
}

bool EventEar::wanted(bool slow_turn) {
    const std::lock_guard lock{mutex_};
    return std::exchange(stored_, false) || (slow_turn && !categories_.empty());
}

Result<EventEar::Heard> EventEar::hear(core::Instant now, bool slow_turn) {
    if (!wanted(slow_turn)) return Heard{};
    fault_point("before_hear");
    auto heard = schedules_.hear_events(now, called_by, [now](const ports::DueSchedule& called) {
        fault_point("hearing");
        return decide_called(called, now);
    });
    if (!heard || heard->more) {
        const std::lock_guard lock{mutex_};
        stored_ = true;
    }
    if (!heard) return tl::unexpected{std::move(heard.error())};
    for (const auto& what : heard->fired.heeded) log_.heeded(what);
    return Heard{std::move(heard->fired.rows), heard->more};
}

Result<void> EventEar::learn(bool anyway) {
    {
        const std::lock_guard lock{mutex_};
        if (!std::exchange(changed_, false) && !anyway) return {};
    }
    auto categories = schedules_.event_categories();
    const std::lock_guard lock{mutex_};
    if (!categories) {
        changed_ = true;
        return tl::unexpected{std::move(categories.error())};
    }
    categories_ = {std::make_move_iterator(categories->begin()), std::make_move_iterator(categories->end())};
    return {};
}

}  // namespace varde::schedule
