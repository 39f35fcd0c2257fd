#include "schedule/dispatch_log.hpp"

#include "time/utc_text.hpp"

#include <vector>

namespace varde::schedule {
namespace {

using ports::LogLevel;

constexpr std::string_view kComponent = "schedule";

std::int64_t ms(core::Microseconds duration) { return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(); }

/// Left out because the schedule says so, again and again: nothing that anybody must hear of each time.
bool expected(core::SlotReason reason) {
    return reason == core::SlotReason::coalesced || reason == core::SlotReason::overlap ||
           reason == core::SlotReason::superseded || reason == core::SlotReason::outside_window ||
           reason == core::SlotReason::excluded || reason == core::SlotReason::event;
}

}  // namespace

void DispatchLog::working(const ports::JobHost& host, int workers, bool alone) const {
    log_.log(LogLevel::info, kComponent, "jobs_started", "schedules are carried out",
             {{"host_id", host.host_id}, {"epoch", host.epoch}, {"workers", std::int64_t{workers}}, {"alone", alone}});
}

void DispatchLog::run_started(const core::Run& run) const {
    if (!log_.wants(LogLevel::debug)) return;
    log_.log(LogLevel::debug, kComponent, "run_started", "a run starts",
             {{"schedule_id", run.schedule_id},
              {"run", run.run_id},
              {"nominal_at", time::format_utc(run.nominal_at)},
              {"attempt", std::int64_t{run.attempt}}});
}

void DispatchLog::run_ended(const ports::ClaimedRun& claimed, const ports::FinishedRun& end) const {
    const bool well = end.state == core::RunState::success;
    const auto level = well ? LogLevel::debug : LogLevel::warning;
    if (!log_.wants(level)) return;
    std::vector<ports::LogField> fields{{"schedule_id", claimed.run.schedule_id},
                                        {"run", end.run_id},
                                        {"nominal_at", time::format_utc(claimed.run.nominal_at)},
                                        {"job_kind", claimed.run.job_kind},
                                        {"attempt", std::int64_t{end.attempt}},
                                        {"state", std::string{core::name_of(end.state)}}};
    if (end.started_at) fields.push_back({"duration_ms", ms(end.finished_at - *end.started_at)});
    if (end.started_at) fields.push_back({"late_ms", ms(*end.started_at - claimed.run.nominal_at)});
    if (end.reason != core::SlotReason::none) fields.push_back({"reason", std::string{core::name_of(end.reason)}});
    if (!end.error.empty()) fields.push_back({"error", end.error});
    if (end.state == core::RunState::pending) fields.push_back({"again_at", time::format_utc(end.run_at)});
    log_.write(level, kComponent, "run_ended", {}, well ? "a run succeeded" : "a run did not succeed", fields);
}

void DispatchLog::run_fenced(std::int64_t run_id) const {
    log_.log(LogLevel::warning, kComponent, "run_fenced",
             "the end of a run was not stored: it had been taken away from this host", {{"run", run_id}});
}

void DispatchLog::run_lost(const core::Run& run) const {
    log_.log(LogLevel::warning, kComponent, "run_lost", "the host of a run went away",
             {{"schedule_id", run.schedule_id},
              {"run", run.run_id},
              {"nominal_at", time::format_utc(run.nominal_at)},
              {"state", std::string{core::name_of(run.state)}}});
}

void DispatchLog::left_out(const core::Run& row) const {
    const auto level = expected(row.reason) ? LogLevel::debug : LogLevel::warning;
    if (!log_.wants(level)) return;
    log_.log(level, kComponent, "slots_left_out", core::sentence_of(row.reason),
             {{"schedule_id", row.schedule_id},
              {"reason", std::string{core::name_of(row.reason)}},
              {"slots", row.slots},
              {"more", row.more_slots},
              {"from", time::format_utc(row.nominal_from.value_or(row.nominal_at))},
              {"to", time::format_utc(row.nominal_at)},
              {"detail", row.detail}});
}

void DispatchLog::heeded(const ports::HeededEvent& what) const {
    using Effect = ports::HeededEvent::Effect;
    std::vector<ports::LogField> fields{{"schedule_id", what.schedule_id},
                                        {"org_id", what.org_id},
                                        {"category", what.category},
                                        {"event_id", what.event_id},
                                        {"at", time::format_utc(what.from)}};
    if (what.effect == Effect::cancelled) {
        log_.write(LogLevel::info, kComponent, "schedule_cancelled", {}, "an event cancelled a one-off", fields);
    } else if (what.to) {
        fields.push_back({"to", time::format_utc(*what.to)});
        log_.write(LogLevel::info, kComponent, "schedule_moved", {}, "an event moved a one-off", fields);
    } else {
        fields.push_back({"problem", what.problem});
        log_.write(LogLevel::warning, kComponent, "schedule_move_refused", {},
                   "an event has no time that a one-off can be moved to", fields);
    }
}

void DispatchLog::fenced(const ports::JobHost& host, core::Microseconds silent) const {
    log_.log(LogLevel::error, kComponent, "host_fenced",
             "this host could not prove that it is alive; it has stopped its runs, which others may have taken",
             {{"host_id", host.host_id}, {"epoch", host.epoch}, {"silent_ms", ms(silent)}});
}

void DispatchLog::store_failed(std::string_view doing, const core::Error& error) const {
    log_.log(LogLevel::error, kComponent, "schedule_store_failed", "the database does not answer; schedules wait for it",
             {{"doing", std::string{doing}}, {"error", error.context}});
}

void DispatchLog::store_back(core::Microseconds away) const {
    log_.log(LogLevel::info, kComponent, "schedule_store_back", "the database answers again", {{"away_ms", ms(away)}});
}

void DispatchLog::zones_followed(const std::string& tzdata, const ports::ScheduleRepository::ZonesFollowed& followed) const {
    if (followed.before.empty() || followed.before == tzdata) return;
    const auto text_of = [](const std::optional<core::Instant>& at) { return at ? time::format_utc(*at) : std::string{}; };
    for (const auto& [schedule_id, from, to] : followed.moved) {
        log_.log(LogLevel::warning, kComponent, "schedule_moved",
                 "its next slot comes at another time by the new time zone rules",
                 {{"schedule_id", schedule_id}, {"from", text_of(from)}, {"to", text_of(to)}, {"tzdata", tzdata}});
    }
    log_.log(LogLevel::info, kComponent, "tzdata_changed", "the time zone rules are others than before",
             {{"before", followed.before}, {"now", tzdata}, {"moved", static_cast<std::int64_t>(followed.moved.size())}});
}

void DispatchLog::cleaned_up(std::int64_t rows) const {
    log_.log(LogLevel::info, kComponent, "runs_cleaned_up", "old rows of the history were deleted", {{"rows", rows}});
}

}  // namespace varde::schedule
