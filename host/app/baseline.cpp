#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "rules/baseline_job.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::app {
namespace {

core::ScopeFilter filter_of(const HomeOptions& home) { return {home.org, home.home, home.subject}; }

nlohmann::ordered_json or_null(const std::optional<std::int64_t>& count) {
    return count ? nlohmann::ordered_json(*count) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json json_of(const core::BaselineStatus& row) {
    return {{"org_id", row.scope.org_id},
            {"home_id", row.scope.home_id},
            {"subject_id", row.scope.subject_id},
            {"baseline_ready", row.ready},
            {"days_with_data", row.days_with_data},
            {"room_bucket_rows", or_null(row.room_bucket_rows)},
            {"room_bucket_supported", or_null(row.room_bucket_supported)},
            {"transition_rows", or_null(row.transition_rows)},
            {"transition_supported", or_null(row.transition_supported)},
            {"model_start", time::format_utc(row.model.since)},
            {"model_end", time::format_utc(row.model.until)},
            {"computed_at", time::format_utc(row.computed_at)},
            {"definition", row.definition}};
}

std::string part_of(const std::optional<std::int64_t>& supported, const std::optional<std::int64_t>& rows) {
    return supported && rows ? fmt::format("{} of {}", *supported, *rows) : "not counted";
}

int print_rows(const Globals& globals, ports::BaselineRepository& baselines, const HomeOptions& home) {
    const auto rows = baselines.list(filter_of(home));
    if (!rows) return report(rows.error());
    for (const auto& row : *rows) {
        if (globals.json) {
            print_json(json_of(row));
            continue;
        }
        fmt::print("{}/{}/{}  {:<9}  {} days with data, rooms and hours {}, ways {}, computed {}\n", row.scope.org_id,
                   row.scope.home_id, row.scope.subject_id, row.ready ? "ready" : "not ready", row.days_with_data,
                   part_of(row.room_bucket_supported, row.room_bucket_rows),
                   part_of(row.transition_supported, row.transition_rows), time::format_utc(row.computed_at));
    }
    if (rows->empty() && !globals.json) fmt::print("no baselines; make them with: varde baseline compute\n");
    return kOk;
}

}  // namespace

int baseline_show(const Globals& globals, const HomeOptions& home) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    return print_rows(globals, storage->baselines(), home);
}

int baseline_compute(const Globals& globals, const HomeOptions& home) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    Log log{*settings, stderr};
    const time::SystemClock clock;
    rules::BaselineJob job{settings->baseline, {storage->events(), storage->baselines(), clock, log.sink()}};
    const auto round = job.compute(rules::BaselineJob::Which::all, filter_of(home));
    if (!round.error.empty()) return kFailed;  // the log says why
    return print_rows(globals, storage->baselines(), home);
}

}  // namespace varde::app
