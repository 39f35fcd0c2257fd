#include "schedule/slot_preview.hpp"

#include "config/calendar_definition.hpp"
#include "schedule/event_decision.hpp"
#include "schedule/trigger_times.hpp"
#include "time/cron_preview.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::schedule {
namespace {

using core::Errc;
using core::Instant;
using core::PlannedSlot;
using core::Run;
using core::RunState;
using core::Schedule;
using core::ScheduleState;

constexpr int kMost = 1'000;

bool outside(const Schedule& schedule, Instant slot) {
    const auto& policy = schedule.policy;
    return (policy.window_since && slot < *policy.window_since) || (policy.window_until && slot >= *policy.window_until);
}

PlannedSlot planned(const Schedule& schedule, const TriggerTimes& times, Instant nominal) {
    PlannedSlot slot;
    slot.nominal_at = nominal;
    slot.starts_at = nominal + times.jitter(nominal);
    slot.reason = "natural";
    slot.text = condition_of(schedule.trigger);
    if (outside(schedule, nominal)) {
        slot.fires = false;
        slot.reason = core::name_of(core::SlotReason::outside_window);
        slot.text = core::sentence_of(core::SlotReason::outside_window);
    } else if (!times.allows(nominal)) {
        slot.fires = false;
        slot.reason = core::name_of(core::SlotReason::excluded);
        slot.text = times.why_not(nominal);
    }
    return slot;
}

/// "moved from 2026-12-25 (calendar 'Public holidays' excludes 2026-12-25)"; of several days the first says why.
std::string origin_of(const TriggerTimes& times, const std::vector<std::chrono::local_days>& days) {
    std::string dates;
    for (const auto day : days) dates += (dates.empty() ? "" : ", ") + config::date_text(day);
    return fmt::format("from {} ({})", dates, times.days().why_not(days.front()));
}

/// Of a wall clock whose excluded days move.
PlannedSlot rolled_slot(const Schedule& schedule, const TriggerTimes& times, Instant nominal) {
    auto slot = planned(schedule, times, nominal);
    const auto& wall = *times.wall();
    const auto lines = time::preview(wall.spec, *wall.zone, nominal - core::Microseconds{1}, 1);
    slot.offset_seconds = wall.zone->spans()[wall.zone->span_at(core::to_us(nominal) / 1'000'000)].offset;
    if (!slot.fires) return slot;
    auto others = times.days_of(nominal);
    const auto own = std::erase_if(others, [&](auto day) { return times.days().allows(day); });
    if (own == 0) {
        slot.reason = "rolled";
        slot.text = "moved " + origin_of(times, others);
    } else if (!others.empty()) {
        slot.text = "also stands for what moved " + origin_of(times, others);
    }
    if (own > 0 && !lines.empty() && lines.back().at == nominal && lines.back().reason != time::PreviewReason::natural) {
        slot.reason = time::name_of(lines.back().reason);
        slot.text = lines.back().text + (slot.text.empty() ? "" : "; " + slot.text);
    }
    return slot;
}

/// Why a wall time that the expression has is none of the schedule's: it moved. Empty: that is not why.
std::string moved_text(const TriggerTimes& times, Instant at) {
    if (!times.rolls() || times.wall()->spec.next(at - core::Microseconds{1}, *times.wall()->zone) != at) return {};
    const auto day = times.day_of(at);
    const auto target = times.target_of(day);
    if (target == day) return {};
    return fmt::format("{}; its times come on {} instead", times.days().why_not(day), config::date_text(target));
}

/// Of a wall clock: as time::preview() tells it, within the bounds of the schedule.
std::vector<PlannedSlot> wall_slots(const Schedule& schedule, const TriggerTimes& times, Instant after, int count) {
    const auto& wall = *times.wall();
    if (schedule.policy.starts_at) after = std::max(after, *schedule.policy.starts_at - core::Microseconds{1});
    std::vector<PlannedSlot> slots;
    for (const auto& line : time::preview(wall.spec, *wall.zone, after, static_cast<std::size_t>(count))) {
        if (schedule.policy.ends_at && line.at >= *schedule.policy.ends_at) break;
        auto slot = planned(schedule, times, line.at);
        slot.offset_seconds = line.offset_seconds;
        if (slot.fires) {
            slot.fires = line.fires();
            slot.reason = time::name_of(line.reason);
            slot.text = line.text;
        }
        slots.push_back(std::move(slot));
    }
    return slots;
}

std::string at_text(Instant at) { return time::format_utc(at); }

/// The row's own words.
std::string tale_of(const Run& run) {
    std::string text;
    if (run.state == RunState::skipped) {
        text = run.slots > 1 || run.more_slots
                   ? fmt::format("{}{} slots from {} to {} were not run", run.more_slots ? "at least " : "", run.slots,
                                 at_text(run.nominal_from.value_or(run.nominal_at)), at_text(run.nominal_at))
                   : fmt::format("the slot of {} was not run", at_text(run.nominal_at));
    } else {
        text = fmt::format("run {} of the slot of {}: {}", run.run_id, at_text(run.nominal_at), core::name_of(run.state));
        if (run.started_at) {
            const auto late = *run.started_at - run.nominal_at;
            text += fmt::format(", started {:.3f} s after its time", std::chrono::duration<double>(late).count());
        }
        if (run.attempt > 1) text += fmt::format(", attempt {}", run.attempt);
    }
    if (run.reason != core::SlotReason::none) text += fmt::format(": {}", core::sentence_of(run.reason));
    if (!run.detail.empty()) text += fmt::format(" ({})", run.detail);
    if (!run.error.empty()) text += fmt::format("; it said: {}", run.error);
    return text;
}

/// Whether the row tells of the slot: it is one of its own, or lies in its range.
bool covers(const Run& run, Instant slot) { return run.nominal_from.value_or(run.nominal_at) <= slot && slot <= run.nominal_at; }

core::SlotExplanation of_row(core::SlotExplanation answer, const Run& run) {
    answer.run_id = run.run_id;
    answer.nominal_at = run.nominal_at;
    answer.answer = run.state == RunState::skipped ? core::name_of(run.reason) : core::name_of(run.state);
    answer.text = tale_of(run);
    return answer;
}

}  // namespace

core::Result<std::vector<PlannedSlot>> preview_slots(const Schedule& schedule, Instant after, int count,
                                                     const core::Calendars& calendars) {
    if (count < 1 || count > kMost) return core::fail(Errc::invalid_argument, fmt::format("count must be 1 to {}", kMost));
    const auto times = TriggerTimes::of(schedule, calendars);
    if (!times) return tl::unexpected{times.error()};
    if (times->wall() != nullptr && !times->rolls()) return wall_slots(schedule, *times, after, count);
    std::vector<PlannedSlot> slots;
    for (auto slot = times->next(after); slot && std::ssize(slots) < count; slot = times->next(*slot)) {
        slots.push_back(times->rolls() ? rolled_slot(schedule, *times, *slot) : planned(schedule, *times, *slot));
    }
    return slots;
}

core::SlotExplanation explain_slot(const Schedule& schedule, const ports::RunRepository::Around& around, Instant at, Instant now,
                                   const core::Calendars& calendars) {
    core::SlotExplanation answer;
    answer.schedule_id = schedule.schedule_id;
    answer.at = at;
    const auto times = TriggerTimes::of(schedule, calendars);
    const auto& before = around.at_or_before;
    const bool told = before && covers(*before, at);
    if (told) return of_row(std::move(answer), *before);
    if (at < schedule.created_at) {
        answer.answer = "not_created";
        answer.text = fmt::format("the schedule was made later, at {}", at_text(schedule.created_at));
        return answer;
    }
    // Today's trigger: what an earlier generation would have said shows in its rows only.
    const auto slot = times ? times->next(at - core::Microseconds{1}) : std::nullopt;
    const bool is_slot = slot && *slot == at;
    if (schedule.state != ScheduleState::active && at <= now && schedule.next_at && *schedule.next_at <= at) {
        answer.answer = core::name_of(schedule.state);
        answer.text = fmt::format("the schedule is {}; the slots since {} are not decided yet", core::name_of(schedule.state),
                                  at_text(*schedule.next_at));
        return answer;
    }
    if (is_slot && at > now && !times->allows(at)) {
        answer.answer = core::name_of(core::SlotReason::excluded);
        answer.nominal_at = at;
        answer.text = fmt::format("it is a slot to come that will be left out: {}", times->why_not(at));
        return answer;
    }
    if (is_slot && at > now) {
        answer.answer = "due_later";
        answer.nominal_at = at;
        const auto condition = condition_of(schedule.trigger);
        answer.text = "it is a slot, and it is to come" + (condition.empty() ? "" : ", " + condition);
        return answer;
    }
    if (is_slot && schedule.next_at && *schedule.next_at <= at) {
        answer.answer = "not_decided";
        answer.nominal_at = at;
        answer.text = "it is a slot, and no host has come to it yet";
        return answer;
    }
    answer.answer = "not_due";
    answer.text = fmt::format("{} is no slot of the schedule", at_text(at));
    if (const auto moved = times ? moved_text(*times, at) : ""; !moved.empty()) answer.text += ": " + moved;
    if (slot) answer.text += fmt::format("; the next one is {}", at_text(*slot));
    if (before) answer.text += "; before it: " + tale_of(*before);
    return answer;
}

}  // namespace varde::schedule
