#include "schedule/slot_decision.hpp"

#include "schedule/due_slots.hpp"
#include "schedule/event_decision.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::schedule {
namespace {

using core::CatchUp;
using core::Instant;
using core::Microseconds;
using core::Overlap;
using core::Run;
using core::RunState;
using core::SlotKind;
using core::SlotReason;
using core::TriggerKind;

constexpr std::chrono::hours kLookAgain{1};

SlotKind kind_of(const core::Schedule& schedule) {
    if (schedule.trigger.kind == TriggerKind::event) return SlotKind::event;
    if (schedule.trigger.kind == TriggerKind::after) return SlotKind::after;
    return SlotKind::scheduled;
}

Run row_of(const core::Schedule& schedule, Instant nominal, Instant now) {
    Run run;
    run.schedule_id = schedule.schedule_id;
    run.generation = schedule.generation;
    run.org_id = schedule.org_id;
    run.job_kind = schedule.kind;
    run.nominal_at = nominal;
    run.kind = kind_of(schedule);
    run.priority = schedule.policy.priority;
    run.queue = schedule.policy.queue;
    run.created_at = now;
    run.run_at = nominal;
    return run;
}

/// Collects what is decided.
class Decision {
  public:
    Decision(const ports::DueSchedule& due, Instant now) : due_{due}, now_{now} {}

    void skip(const SlotRange& slots, SlotReason reason, std::string detail = {}) {
        if (slots.count == 0) return;
        auto run = row_of(due_.schedule, slots.last, now_);
        run.state = RunState::skipped;
        run.reason = reason;
        run.detail = std::move(detail);
        run.slots = slots.count;
        if (slots.count > 1 || slots.more) run.nominal_from = slots.first;
        run.more_slots = slots.more;
        run.finished_at = now_;
        answer.runs.push_back(std::move(run));
    }

    void run(const std::vector<Instant>& slots, const TriggerTimes& times, Microseconds grace, bool queue_full) {
        SlotRange full;
        SlotRange overlapping;
        for (const Instant slot : slots) {
            if (queue_full) {
                full.add(slot);
            } else if (!start(slot, times, grace)) {
                overlapping.add(slot);
            }
        }
        skip(full, SlotReason::queue_full);
        skip(overlapping, SlotReason::overlap, fmt::format("{} of it not over, {} allowed", due_.live + added_, most()));
    }

    ports::DueDecision answer;

  private:
    void end_unstarted(Run& run) const {
        run.state = RunState::skipped;
        run.reason = SlotReason::superseded;
        run.start_by.reset();
        run.finished_at = now_;
    }

    [[nodiscard]] int most() const { return due_.schedule.policy.max_instances; }

    bool start(Instant slot, const TriggerTimes& times, Microseconds grace) {
        const auto& policy = due_.schedule.policy;
        bool waits = false;
        if (due_.live + added_ >= most()) {
            const auto queued = due_.queued + added_;
            if (policy.overlap == Overlap::skip) return false;
            if (policy.overlap == Overlap::queue_one && queued > 0) return false;
            if (policy.overlap == Overlap::queue_all && queued >= policy.max_queued) return false;
            if (policy.overlap == Overlap::cancel_other) {
                // The newest of them all is the one that stays.
                answer.cancel_live = true;
                for (auto& run : answer.runs) {
                    if (!core::is_terminal(run.state)) end_unstarted(run);
                }
            }
            waits = true;
        }
        auto run = row_of(due_.schedule, slot, now_);
        const auto jitter = times.jitter(slot);
        run.run_at = slot + jitter;
        if (policy.catch_up == CatchUp::none) run.start_by = run.run_at + grace;
        const bool met = policy.depends_on.empty() || due_.schedule.trigger.kind == TriggerKind::after ||
                         dependencies_met(due_.schedule, due_.facts);
        if (!met) run.start_by = now_ + policy.dependency_timeout;
        run.state = waits || !met ? RunState::waiting : RunState::pending;
        if (waits) run.start_by.reset();
        answer.runs.push_back(std::move(run));
        ++added_;
        return true;
    }

    const ports::DueSchedule& due_;
    const Instant now_;
    int added_ = 0;
};

/// `all` without those that are run: `taken` is the oldest of them, or the newest ones, or all.
SlotRange left_out(SlotRange all, const std::vector<Instant>& newest, const std::vector<Instant>& taken,
                   const TriggerTimes& times) {
    all.count -= std::ssize(taken);
    if (taken.empty() || all.count == 0) return all;
    if (taken.back() == all.last) {
        all.last = *std::prev(std::ranges::find(newest, taken.front()));  // one more is kept than can be taken
    } else if (taken.front() == all.first) {
        all.first = times.next(all.first).value_or(all.last);
    }
    return all;
}

/// The slots that are run, of those found due; the others go to their rows.
std::vector<Instant> chosen(const core::Schedule& schedule, const TriggerTimes& times, const DueSlots& due, Instant now,
                            Decision& decision) {
    const auto& policy = schedule.policy;
    std::vector<Instant> late;
    std::vector<Instant> in_window = due.newest_late;
    if (policy.catch_up_window) {
        std::erase_if(in_window, [&](Instant slot) { return now - slot > *policy.catch_up_window; });
    }
    const auto most = static_cast<std::ptrdiff_t>(policy.catch_up_max);
    if (!in_window.empty()) {
        if (policy.catch_up == CatchUp::last && due.timely.count == 0) late = {in_window.back()};
        // The oldest of all may lie before those that were kept.
        if (policy.catch_up == CatchUp::first) late = {policy.catch_up_window ? in_window.front() : due.late.first};
        if (policy.catch_up == CatchUp::all) {
            late.assign(in_window.end() - std::min<std::ptrdiff_t>(most, std::ssize(in_window)), in_window.end());
        }
    }
    std::vector<Instant> timely;
    const bool first_stands_for_all = policy.catch_up == CatchUp::first && !late.empty() && policy.coalesce;
    if (!due.newest_timely.empty() && !first_stands_for_all) {
        const auto kept = policy.coalesce ? 1 : std::min<std::ptrdiff_t>(most, std::ssize(due.newest_timely));
        timely.assign(due.newest_timely.end() - kept, due.newest_timely.end());
    }
    decision.skip(left_out(due.late, due.newest_late, late, times), SlotReason::misfire);
    decision.skip(left_out(due.timely, due.newest_timely, timely, times), SlotReason::coalesced);
    late.insert(late.end(), timely.begin(), timely.end());
    return late;
}

}  // namespace

bool dependencies_met(const core::Schedule& schedule, const ports::DependencyFacts& facts, std::string* missing) {
    auto since = facts.own_success_started_at;
    if (schedule.trigger.kind == TriggerKind::after) since = schedule.last_nominal.value_or(schedule.created_at);
    bool met = true;
    for (const auto& id : schedule.policy.depends_on) {
        const auto found = facts.succeeded_at.find(id);
        const bool succeeded = found != facts.succeeded_at.end() && found->second && (!since || *found->second > *since);
        if (succeeded) continue;
        met = false;
        if (missing != nullptr) *missing += (missing->empty() ? "" : ", ") + id;
    }
    return met;
}

ports::WaitingDecision decide_waiting(const ports::WaitingRun& waiting) {
    using What = ports::WaitingDecision::What;
    if (waiting.ahead >= waiting.schedule.policy.max_instances) return {What::keep, {}};
    const bool gated = !waiting.schedule.policy.depends_on.empty() && waiting.schedule.trigger.kind != TriggerKind::after &&
                       waiting.run.kind != SlotKind::manual;
    if (gated && !dependencies_met(waiting.schedule, waiting.facts)) return {What::keep, {}};
    return {What::release, {}};
}

ports::DueDecision decide(const ports::DueSchedule& due, Instant now, bool queue_full) {
    const auto& schedule = due.schedule;
    const auto first = schedule.next_at.value_or(now);
    auto heeding = heed(due, now);
    if (heeding.settled) return std::move(heeding.decision);
    Decision decision{due, now};
    auto& answer = decision.answer;
    answer.heeded = std::move(heeding.decision.heeded);
    answer.last_nominal = schedule.last_nominal;
    const auto times = TriggerTimes::of(schedule, due.calendars);
    if (!times) {
        SlotRange slots;
        slots.add(first);
        decision.skip(slots, SlotReason::misfire, times.error().context);
        answer.next_at = now + kLookAgain;
        answer.last_nominal = first;
        return answer;
    }
    if (schedule.trigger.kind == TriggerKind::after && !dependencies_met(schedule, due.facts)) return answer;
    const auto& policy = schedule.policy;
    const auto keep = static_cast<std::size_t>(policy.catch_up_max) + 1;  // the slot before those that are run, too
    const auto slots = due_slots(schedule, *times, first, now, keep);
    decision.skip(slots.outside_window, SlotReason::outside_window);
    if (slots.excluded.count > 0) decision.skip(slots.excluded, SlotReason::excluded, times->why_not(slots.excluded.last));
    const auto runs = chosen(schedule, *times, slots, now, decision);
    decision.run(runs, *times, grace_of(schedule, *times, first), queue_full);
    answer.last_nominal = std::max(
        {slots.late.count > 0 ? slots.late.last : Instant::min(), slots.timely.count > 0 ? slots.timely.last : Instant::min(),
         slots.outside_window.count > 0 ? slots.outside_window.last : Instant::min(),
         slots.excluded.count > 0 ? slots.excluded.last : Instant::min(), schedule.last_nominal.value_or(Instant::min())});
    answer.next_at = slots.next;
    const bool fixed_delay = schedule.trigger.kind == TriggerKind::interval && schedule.trigger.after_completion;
    // With a row the end of its run moves the cursor; without one nobody would.
    const bool nothing_runs = std::ranges::all_of(answer.runs, [](const Run& run) { return core::is_terminal(run.state); });
    if (fixed_delay && nothing_runs && due.live == 0) answer.next_at = now + schedule.trigger.period;
    if (fixed_delay && policy.ends_at && answer.next_at && *answer.next_at >= *policy.ends_at) answer.next_at.reset();
    const bool waits_for_events = schedule.trigger.kind == TriggerKind::event || schedule.trigger.kind == TriggerKind::after ||
                                  schedule.trigger.kind == TriggerKind::manual || (fixed_delay && !nothing_runs);
    answer.completed = !answer.next_at && (!waits_for_events || (policy.ends_at && now >= *policy.ends_at));
    return answer;
}

}  // namespace varde::schedule
