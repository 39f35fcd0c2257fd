#include "api/schedule_text.hpp"

#include "config/calendar_definition.hpp"
#include "config/schedule_definition.hpp"
#include "time/cron_preview.hpp"
#include "time/utc_text.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using nlohmann::ordered_json;

ordered_json at_or_null(const std::optional<core::Instant>& at) { return at ? ordered_json(time::format_utc(*at)) : nullptr; }
ordered_json id_or_null(std::int64_t id) { return id == 0 ? ordered_json(nullptr) : ordered_json(id); }
ordered_json text_or_null(std::string_view text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }
ordered_json number_or_null(const std::optional<double>& number) { return number ? ordered_json(*number) : nullptr; }

/// JSON that a job or somebody wrote.
ordered_json parsed_or_null(const std::string& text) {
    if (text.empty()) return nullptr;
    auto value = ordered_json::parse(text, nullptr, false);
    return value.is_discarded() ? ordered_json(text) : value;
}

/// Of the last attempt.
ordered_json duration_of(const core::Run& run) {
    if (!run.started_at || !run.finished_at) return nullptr;
    return std::chrono::duration<double>(*run.finished_at - *run.started_at).count();
}

}  // namespace

ordered_json schedule_json(const core::Schedule& schedule) {
    return {{"id", schedule.schedule_id},
            {"name", schedule.name},
            {"kind", schedule.kind},
            {"org_id", schedule.org_id},
            {"state", core::name_of(schedule.state)},
            {"source", schedule.source},
            {"version", schedule.version},
            {"generation", schedule.generation},
            {"next_at", at_or_null(schedule.next_at)},
            {"last_nominal_at", at_or_null(schedule.last_nominal)},
            {"last_run_id", id_or_null(schedule.last_run_id)},
            {"last_status", text_or_null(schedule.last_status)},
            {"last_run_at", at_or_null(schedule.last_run_at)},
            {"created_at", time::format_utc(schedule.created_at)},
            {"updated_at", time::format_utc(schedule.updated_at)},
            {"definition", config::definition_json(schedule)}};
}

ordered_json calendar_row_json(const core::Calendar& calendar) {
    return {{"id", calendar.calendar_id},
            {"name", calendar.name},
            {"org_id", calendar.org_id},
            {"version", calendar.version},
            {"created_at", time::format_utc(calendar.created_at)},
            {"updated_at", time::format_utc(calendar.updated_at)},
            {"definition", config::calendar_json(calendar)}};
}

ordered_json run_json(const core::Run& run) {
    const bool explained = run.reason != core::SlotReason::none;
    return {{"run_id", run.run_id},
            {"schedule_id", run.schedule_id},
            {"org_id", run.org_id},
            {"generation", run.generation},
            {"job_kind", run.job_kind},
            {"kind", core::name_of(run.kind)},
            {"nominal_at", time::format_utc(run.nominal_at)},
            {"nominal_from", at_or_null(run.nominal_from)},
            {"slots", run.slots},
            {"more_slots", run.more_slots},
            {"state", core::name_of(run.state)},
            {"reason", explained ? ordered_json(core::name_of(run.reason)) : nullptr},
            {"reason_text", explained ? ordered_json(core::sentence_of(run.reason)) : nullptr},
            {"detail", text_or_null(run.detail)},
            {"attempt", run.attempt},
            {"priority", run.priority},
            {"queue", run.queue},
            {"run_at", time::format_utc(run.run_at)},
            {"start_by", at_or_null(run.start_by)},
            {"owner", text_or_null(run.owner)},
            {"epoch", id_or_null(run.epoch)},
            {"lease_until", at_or_null(run.lease_until)},
            {"cancel_requested", run.cancel_requested},
            {"requested_by", text_or_null(run.requested_by)},
            {"idempotency_key", text_or_null(run.idempotency_key)},
            {"input", parsed_or_null(run.input)},
            {"created_at", time::format_utc(run.created_at)},
            {"started_at", at_or_null(run.started_at)},
            {"finished_at", at_or_null(run.finished_at)},
            {"duration_s", duration_of(run)},
            {"error", text_or_null(run.error)},
            {"result", parsed_or_null(run.result)}};
}

ordered_json planned_slot_json(const core::PlannedSlot& slot) {
    return {{"nominal_at", time::format_utc(slot.nominal_at)},
            {"local", time::format_local(slot.nominal_at, slot.offset_seconds)},
            {"starts_at", time::format_utc(slot.starts_at)},
            {"fires", slot.fires},
            {"reason", slot.reason},
            {"text", slot.text}};
}

ordered_json statistics_json(const ports::RunStatistics& statistics) {
    auto by_state = ordered_json::object();
    for (auto state = core::RunState::waiting; state <= core::RunState::abandoned;
         state = static_cast<core::RunState>(static_cast<int>(state) + 1)) {
        const auto found = statistics.by_state.find(state);
        by_state[std::string{core::name_of(state)}] = found == statistics.by_state.end() ? 0 : found->second;
    }
    return {{"total", statistics.total},
            {"by_state", std::move(by_state)},
            {"skipped_slots", statistics.skipped_slots},
            {"success_rate", statistics.success_rate},
            {"success_rate_finished", number_or_null(statistics.success_rate_finished)},
            {"duration_s",
             {{"average", number_or_null(statistics.average_s)},
              {"minimum", number_or_null(statistics.minimum_s)},
              {"maximum", number_or_null(statistics.maximum_s)},
              {"median", number_or_null(statistics.median_s)},
              {"p95", number_or_null(statistics.p95_s)}}}};
}

ordered_json slot_explanation_json(const core::SlotExplanation& explanation) {
    return {{"schedule_id", explanation.schedule_id},
            {"at", time::format_utc(explanation.at)},
            {"answer", explanation.answer},
            {"text", explanation.text},
            {"run_id", id_or_null(explanation.run_id)},
            {"nominal_at", explanation.nominal_at == core::Instant{} ? ordered_json(nullptr)
                                                                     : ordered_json(time::format_utc(explanation.nominal_at))}};
}

ordered_json job_host_json(const ports::JobHost& host) {
    return {{"host_id", host.host_id},
            {"epoch", host.epoch},
            {"name", host.name},
            {"started_at", time::format_utc(host.started_at)},
            {"beat_at", time::format_utc(host.beat_at)}};
}

}  // namespace varde::api
