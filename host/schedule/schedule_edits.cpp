#include "schedule/schedule_edits.hpp"

#include "schedule/due_slots.hpp"

#include <algorithm>

namespace varde::schedule {
namespace {

using core::Errc;
using core::Instant;
using core::Result;
using core::Schedule;
using core::ScheduleState;
using core::SlotReason;
using core::TriggerKind;
using Edited = ports::ScheduleRepository::Edited;
using ports::ScheduleAction;

bool by_the_clock(const core::Trigger& trigger) {
    return trigger.kind == TriggerKind::cron || trigger.kind == TriggerKind::interval || trigger.kind == TriggerKind::once;
}

bool fixed_delay(const core::Trigger& trigger) { return trigger.kind == TriggerKind::interval && trigger.after_completion; }

/// The first slot after now that the cursor has not passed.
std::optional<Instant> first_slot(const Schedule& schedule, const TriggerTimes& times, Instant now) {
    const auto after = std::max(now, schedule.last_nominal.value_or(now));
    if (fixed_delay(schedule.trigger)) return std::max(now, schedule.policy.starts_at.value_or(now));
    return times.next(after);
}

bool same_slots(const Schedule& a, const Schedule& b) {
    const auto& one = a.policy.calendars;
    const auto& other = b.policy.calendars;
    // Days that are left out are slots all the same; days that move are others.
    const bool moves = one.roll != core::CalendarRoll::skip || other.roll != core::CalendarRoll::skip;
    return a.trigger == b.trigger && a.policy.starts_at == b.policy.starts_at && a.policy.ends_at == b.policy.ends_at &&
           (!moves || one == other);
}

/// Ends the rest of a schedule: the slots up to now are left out for `reason`.
Result<Edited> awake(Schedule schedule, SlotReason reason, Instant now, const core::Calendars& calendars) {
    Edited result;
    const auto times = TriggerTimes::of(schedule, calendars);
    if (!times) return tl::unexpected{times.error()};
    schedule.state = ScheduleState::active;
    if (schedule.next_at && *schedule.next_at <= now && by_the_clock(schedule.trigger)) {
        const auto missed = due_slots(schedule, *times, *schedule.next_at, now, 1);
        SlotRange all = missed.late.count > 0 ? missed.late : missed.timely;
        if (missed.late.count > 0 && missed.timely.count > 0) {
            all.count += missed.timely.count;
            all.last = missed.timely.last;
        }
        if (all.count > 0) {
            core::Run row;
            row.schedule_id = schedule.schedule_id;
            row.generation = schedule.generation;
            row.job_kind = schedule.kind;
            row.state = core::RunState::skipped;
            row.reason = reason;
            row.nominal_at = all.last;
            row.slots = all.count;
            row.more_slots = missed.late.more || missed.timely.more;
            if (all.count > 1 || row.more_slots) row.nominal_from = all.first;
            row.queue = schedule.policy.queue;
            row.priority = schedule.policy.priority;
            row.created_at = row.run_at = now;
            row.finished_at = now;
            result.runs.push_back(std::move(row));
            schedule.last_nominal = std::max(schedule.last_nominal.value_or(all.last), all.last);
        }
        schedule.next_at = first_slot(schedule, *times, now);
    } else if (!by_the_clock(schedule.trigger)) {
        schedule.next_at.reset();  // what happened while it rested is past
    } else if (!schedule.next_at) {
        schedule.next_at = first_slot(schedule, *times, now);
    }
    if (!schedule.next_at && by_the_clock(schedule.trigger)) schedule.state = ScheduleState::completed;
    result.schedule = std::move(schedule);
    return result;
}

}  // namespace

Result<Schedule> begun(Schedule wanted, Instant now, const core::Calendars& calendars) {
    const auto times = TriggerTimes::of(wanted, calendars);
    if (!times) return tl::unexpected{times.error()};
    wanted.created_at = wanted.updated_at = now;
    wanted.last_nominal.reset();
    wanted.next_at.reset();
    if (by_the_clock(wanted.trigger)) {
        // A one-off whose time has just passed is a request to run it now: within its grace it is.
        const bool just_passed = wanted.trigger.kind == TriggerKind::once && wanted.trigger.at <= now &&
                                 now - wanted.trigger.at <= grace_of(wanted, *times, wanted.trigger.at);
        wanted.next_at = just_passed ? std::optional{wanted.trigger.at} : first_slot(wanted, *times, now);
        if (!wanted.next_at) return core::fail(Errc::invalid_argument, "trigger: no time of it lies in the future");
    }
    return wanted;
}

Result<Edited> edited(const Schedule& current, Schedule wanted, Instant now, const core::Calendars& calendars) {
    wanted.schedule_id = current.schedule_id;
    wanted.org_id = current.org_id;
    wanted.created_at = current.created_at;
    wanted.source = wanted.source.empty() ? current.source : wanted.source;
    wanted.version = current.version;
    wanted.generation = current.generation;
    wanted.next_at = current.next_at;
    wanted.last_nominal = current.last_nominal;
    wanted.updated_at = now;
    const bool wants_rest = wanted.state == ScheduleState::disabled;
    const bool rests = current.state == ScheduleState::disabled;
    wanted.state = current.state;
    if (!same_slots(current, wanted)) {
        const auto times = TriggerTimes::of(wanted, calendars);
        if (!times) return tl::unexpected{times.error()};
        ++wanted.generation;
        const bool due = current.state == ScheduleState::active && current.next_at && *current.next_at <= now;
        if (!due) wanted.next_at = by_the_clock(wanted.trigger) ? first_slot(wanted, *times, now) : std::nullopt;
        if (by_the_clock(wanted.trigger) && !wanted.next_at) {
            return core::fail(Errc::invalid_argument, "trigger: no time of it lies in the future");
        }
        if (wanted.state == ScheduleState::completed) wanted.state = ScheduleState::active;
    }
    if (wants_rest && !rests) {
        auto result = acted(wanted, ScheduleAction::disable, now, calendars);
        return result;
    }
    if (!wants_rest && rests) return awake(std::move(wanted), SlotReason::disabled, now, calendars);
    Edited result;
    result.schedule = std::move(wanted);
    return result;
}

void recompute(Schedule& schedule, const core::Calendars& calendars, Instant now) {
    const auto times = TriggerTimes::of(schedule, calendars);
    if (times && times->rolls()) follow_clock(schedule, calendars, now);
}

void follow_clock(Schedule& schedule, const core::Calendars& calendars, Instant now) {
    // Without a next slot it is completed, or nothing is known before something happens.
    const bool due = schedule.next_at && *schedule.next_at <= now;
    const auto times = TriggerTimes::of(schedule, calendars);
    if (!times || !schedule.next_at || due) return;
    schedule.next_at = first_slot(schedule, *times, now);
    if (!schedule.next_at && schedule.state == ScheduleState::active) schedule.state = ScheduleState::completed;
}

Result<Edited> acted(const Schedule& current, ScheduleAction action, Instant now, const core::Calendars& calendars) {
    Edited result;
    result.schedule = current;
    result.schedule.updated_at = now;
    auto& state = result.schedule.state;
    const auto conflict = [](const char* what) { return core::fail(Errc::conflict, what); };
    if (state == ScheduleState::completed) return conflict("the schedule is completed: give it a new trigger");
    switch (action) {
        case ScheduleAction::enable:
            if (state != ScheduleState::disabled) return result;
            return awake(std::move(result.schedule), SlotReason::disabled, now, calendars);
        case ScheduleAction::disable:
            state = ScheduleState::disabled;
            result.cancel_queued = SlotReason::disabled;
            return result;
        case ScheduleAction::pause:
            if (state == ScheduleState::disabled) return conflict("the schedule is disabled: it has nothing to pause");
            state = ScheduleState::paused;
            return result;
        case ScheduleAction::resume_skip:
        case ScheduleAction::resume_catch_up:
            if (state == ScheduleState::disabled) return conflict("the schedule is disabled, not paused: enable it");
            if (state != ScheduleState::paused) return result;
            if (action == ScheduleAction::resume_skip)
                return awake(std::move(result.schedule), SlotReason::paused, now, calendars);
            state = ScheduleState::active;
            return result;
    }
    return result;
}

}  // namespace varde::schedule
