#include "schedule/schedule_desk.hpp"

#include "schedule/host_identity.hpp"
#include "schedule/schedule_edits.hpp"
#include "schedule/slot_preview.hpp"
#include "schedule/trigger_times.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::schedule {
namespace {

using core::Errc;
using core::Overlap;
using core::Result;
using core::Run;
using core::RunState;
using core::Schedule;
using nlohmann::json;
using ports::LogLevel;
using Edited = ports::ScheduleRepository::Edited;

constexpr std::string_view kComponent = "schedule";
constexpr std::size_t kMostInput = 65'536;
constexpr std::size_t kMostKey = 200;

std::string_view name_of(ports::ScheduleAction action) {
    static constexpr std::array<std::string_view, 5> kNames{"enable", "disable", "pause", "resume", "resume with catch-up"};
    return kNames.at(static_cast<std::size_t>(action));
}

Result<void> check_input(const ports::ManualRun& manual) {
    if (manual.idempotency_key.size() > kMostKey) {
        return core::fail(Errc::invalid_argument, fmt::format("the idempotency key must have at most {} characters", kMostKey));
    }
    if (manual.input.empty()) return {};
    if (manual.input.size() > kMostInput) {
        return core::fail(Errc::invalid_argument, fmt::format("input: must have at most {} bytes", kMostInput));
    }
    if (!json::parse(manual.input, nullptr, false).is_object()) {
        return core::fail(Errc::invalid_argument, "input: must be a JSON object");
    }
    return {};
}

/// A row for a run that somebody asked for; waiting, if the overlap policy says so.
Result<Run> manual_row(const Schedule& schedule, int live, int queued, const ports::ManualRun& manual, core::Instant now) {
    const auto& policy = schedule.policy;
    Run run;
    run.generation = schedule.generation;
    run.job_kind = schedule.kind;
    run.nominal_at = run.run_at = run.created_at = now;
    run.kind = core::SlotKind::manual;
    run.priority = policy.priority;
    run.queue = policy.queue;
    run.input = manual.input;
    run.idempotency_key = manual.idempotency_key;
    run.requested_by = manual.by;
    if (live < policy.max_instances) return run;
    const bool full = policy.overlap == Overlap::skip || (policy.overlap == Overlap::queue_one && queued > 0) ||
                      (policy.overlap == Overlap::queue_all && queued >= policy.max_queued);
    if (full) {
        return core::fail(Errc::conflict, fmt::format("{} run(s) of schedule {} are not over, and its overlap policy is {}", live,
                                                      schedule.schedule_id, core::name_of(policy.overlap)));
    }
    run.state = RunState::waiting;
    return run;
}

/// What a file says is changed there: here it would last until the file is read again.
Result<void> check_owner(const Schedule& schedule, const std::string& by) {
    if (schedule.source != "config" || by == schedule.source) return {};
    return core::fail(Errc::conflict, fmt::format("schedule {} belongs to rules.yaml: change it there; it can be paused here",
                                                  schedule.schedule_id));
}

/// Those that the schedule names; all of them must be there.
Result<core::Calendars> known(Result<core::Calendars> found, const Schedule& schedule) {
    if (!found) return found;
    const auto& rule = schedule.policy.calendars;
    for (const auto& [key, ids] : {std::pair{"include", &rule.include}, std::pair{"exclude", &rule.exclude}}) {
        for (const auto& id : *ids) {
            if (std::ranges::any_of(*found, [&](const auto& calendar) { return calendar->calendar_id == id; })) continue;
            return core::fail(
                Errc::invalid_argument,
                fmt::format("policy.calendars.{}: there is no calendar '{}' in organisation {}", key, id, schedule.org_id));
        }
    }
    return found;
}

}  // namespace

void ScheduleDesk::tell(std::string_view event, std::string_view message, const Schedule& schedule, const std::string& by,
                        std::string_view what) const {
    ports_.log.log(LogLevel::info, kComponent, event, message,
                   {{"schedule_id", schedule.schedule_id},
                    {"org_id", schedule.org_id},
                    {"what", std::string{what}},
                    {"version", schedule.version},
                    {"generation", schedule.generation},
                    {"by", by}});
    if (changed_) changed_();
}

Result<core::Calendars> ScheduleDesk::calendars_of(const Schedule& schedule) const {
    const auto& rule = schedule.policy.calendars;
    if (ports_.calendars == nullptr || (rule.include.empty() && rule.exclude.empty())) return core::Calendars{};
    return ports_.calendars->of(schedule);
}

Result<void> ScheduleDesk::check(const Schedule& wanted) const {
    if (auto sound = check_job(wanted); !sound) return sound;
    if (const auto calendars = known(calendars_of(wanted), wanted); !calendars) return tl::unexpected{calendars.error()};
    return {};
}

/// All but the calendars.
Result<void> ScheduleDesk::check_job(const Schedule& wanted) const {
    const auto* const kind = ports_.kinds.find(wanted.kind);
    if (kind == nullptr) {
        std::string known;
        for (const auto& [name, other] : ports_.kinds.all()) known += (known.empty() ? "" : ", ") + name;
        return core::fail(Errc::invalid_argument,
                          fmt::format("kind: there is no job kind '{}'; this host has: {}", wanted.kind, known));
    }
    if (auto sound = kind->check(wanted.params); !sound) return sound;
    if (const auto times = TriggerTimes::of(wanted); !times) return tl::unexpected{times.error()};
    return {};
}

bool ScheduleDesk::reaches_beyond_org(const Schedule& schedule) const {
    const auto* const kind = ports_.kinds.find(schedule.kind);
    return kind == nullptr || kind->reaches_beyond_org(schedule.params);
}

Result<Schedule> ScheduleDesk::create(Schedule wanted, const std::string& by) {
    if (wanted.schedule_id.empty()) wanted.schedule_id = random_id();
    if (auto sound = check_job(wanted); !sound) return tl::unexpected{sound.error()};
    const auto calendars = known(calendars_of(wanted), wanted);
    if (!calendars) return tl::unexpected{calendars.error()};
    auto schedule = begun(std::move(wanted), ports_.clock.now(), *calendars);
    if (!schedule) return schedule;
    auto stored = ports_.schedules.create(*schedule);
    if (stored) tell("schedule_changed", "a schedule was made", *stored, by, "create");
    return stored;
}

Result<Schedule> ScheduleDesk::edit(const std::string& schedule_id, const std::string& org_id, const Change& change,
                                    const std::string& by) {
    const auto make = [&](const Schedule& current, const ports::CalendarsOf& calendars_in) -> Result<Edited> {
        if (auto owned = check_owner(current, by); !owned) return tl::unexpected{owned.error()};
        auto wanted = change(current);
        if (!wanted) return tl::unexpected{wanted.error()};
        wanted->schedule_id = current.schedule_id;
        wanted->org_id = current.org_id;
        if (auto sound = check_job(*wanted); !sound) return tl::unexpected{sound.error()};
        auto calendars = calendars_in(*wanted);
        // What it names already may be gone: that is no reason to refuse another change.
        if (wanted->policy.calendars != current.policy.calendars) calendars = known(std::move(calendars), *wanted);
        if (!calendars) return tl::unexpected{calendars.error()};
        return edited(current, std::move(*wanted), ports_.clock.now(), *calendars);
    };
    auto stored = ports_.schedules.edit(schedule_id, org_id, make);
    if (stored) tell("schedule_changed", "a schedule was changed", *stored, by, "edit");
    return stored;
}

Result<Schedule> ScheduleDesk::act(const std::string& schedule_id, const std::string& org_id, ports::ScheduleAction action,
                                   const std::string& by) {
    // What is so already is not written: asking twice changes nothing.
    const auto current = ports_.schedules.find(schedule_id, org_id);
    if (!current) return current;
    const auto of_current = calendars_of(*current);
    if (!of_current) return tl::unexpected{of_current.error()};
    const auto trial = acted(*current, action, ports_.clock.now(), *of_current);
    if (!trial) return tl::unexpected{trial.error()};
    if (trial->schedule.state == current->state) return current;
    const auto make = [&](const Schedule& locked, const ports::CalendarsOf& calendars_in) -> Result<Edited> {
        const auto calendars = calendars_in(locked);
        if (!calendars) return tl::unexpected{calendars.error()};
        return acted(locked, action, ports_.clock.now(), *calendars);
    };
    auto stored = ports_.schedules.edit(schedule_id, org_id, make);
    if (stored) tell("schedule_changed", "a schedule was switched", *stored, by, name_of(action));
    return stored;
}

Result<void> ScheduleDesk::remove(const std::string& schedule_id, const std::string& org_id, bool purge, bool force,
                                  const std::string& by) {
    const auto current = ports_.schedules.find(schedule_id, org_id);
    if (!current) return tl::unexpected{current.error()};
    if (auto owned = check_owner(*current, by); !owned) return owned;
    auto removed = ports_.schedules.remove(schedule_id, org_id, purge, force, ports_.clock.now());
    if (!removed) return removed;
    Schedule gone;
    gone.schedule_id = schedule_id;
    if (!org_id.empty()) gone.org_id = org_id;
    tell("schedule_changed", "a schedule was deleted", gone, by, purge ? "delete with its history" : "delete");
    return {};
}

Result<std::pair<Run, bool>> ScheduleDesk::run_now(const std::string& schedule_id, const std::string& org_id,
                                                   const ports::ManualRun& manual) {
    if (auto sound = check_input(manual); !sound) return tl::unexpected{sound.error()};
    const auto added =
        ports_.runs.add(schedule_id, org_id, manual.idempotency_key, [&](const Schedule& schedule, int live, int queued) {
            return manual_row(schedule, live, queued, manual, ports_.clock.now());
        });
    if (!added) return tl::unexpected{added.error()};
    if (added->created) {
        ports_.log.log(LogLevel::info, kComponent, "run_requested", "somebody asked for a run",
                       {{"schedule_id", schedule_id}, {"run", added->run.run_id}, {"by", manual.by}});
        if (changed_) changed_();
    }
    return std::pair{added->run, added->created};
}

Result<Run> ScheduleDesk::cancel(std::int64_t run_id, const std::string& org_id, const std::string& by) {
    auto run = ports_.runs.cancel(run_id, org_id, by, ports_.clock.now());
    if (!run) return run;
    ports_.log.log(
        LogLevel::info, kComponent, "run_cancelled", "somebody cancelled a run",
        {{"schedule_id", run->schedule_id}, {"run", run->run_id}, {"state", std::string{core::name_of(run->state)}}, {"by", by}});
    if (changed_) changed_();
    return run;
}

Result<Run> ScheduleDesk::retry(std::int64_t run_id, const std::string& org_id, const std::string& by) {
    const auto old = ports_.runs.find(run_id, org_id);
    if (!old) return old;
    if (!core::is_terminal(old->state)) {
        return core::fail(Errc::conflict, fmt::format("run {} is not over: it is {}", run_id, core::name_of(old->state)));
    }
    const auto again = run_now(old->schedule_id, org_id, {old->input, {}, by});
    if (!again) {
        if (again.error().code != Errc::not_found) return tl::unexpected{again.error()};
        return core::fail(Errc::conflict, fmt::format("the schedule of run {} is gone", run_id));
    }
    return again->first;
}

Result<std::vector<core::PlannedSlot>> ScheduleDesk::preview(const Schedule& schedule, std::optional<core::Instant> after,
                                                             int count) const {
    const auto calendars = calendars_of(schedule);
    if (!calendars) return tl::unexpected{calendars.error()};
    return preview_slots(schedule, after.value_or(ports_.clock.now()), count, *calendars);
}

Result<core::SlotExplanation> ScheduleDesk::explain(const std::string& schedule_id, const std::string& org_id, core::Instant at) {
    const auto schedule = ports_.schedules.find(schedule_id, org_id);
    if (!schedule) return tl::unexpected{schedule.error()};
    const auto around = ports_.runs.around(schedule_id, at);
    if (!around) return tl::unexpected{around.error()};
    const auto calendars = calendars_of(*schedule);
    if (!calendars) return tl::unexpected{calendars.error()};
    return explain_slot(*schedule, *around, at, ports_.clock.now(), *calendars);
}

std::vector<std::pair<std::string, std::string>> ScheduleDesk::job_kinds() const {
    std::vector<std::pair<std::string, std::string>> list;
    for (const auto& [name, kind] : ports_.kinds.all()) list.emplace_back(name, kind->summary());
    return list;
}

}  // namespace varde::schedule
