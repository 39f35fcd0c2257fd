#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "deviation/life_cycle.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::DeviationStatus;

nlohmann::ordered_json json_of(const core::Deviation& row) {
    nlohmann::ordered_json out{{"deviation_id", row.deviation_id},
                               {"rule_id", row.rule_id},
                               {"org_id", row.scope.org_id},
                               {"home_id", row.scope.home_id},
                               {"subject_id", row.scope.subject_id},
                               {"subject_key", row.subject_key},
                               {"status", core::name_of(row.status)},
                               {"severity", core::name_of(row.finding.severity)},
                               {"title", row.finding.title},
                               {"explanation", row.finding.explanation},
                               {"started_at", time::format_utc(row.started_at)},
                               {"last_seen_at", time::format_utc(row.last_seen_at)},
                               {"episode", row.episode}};
    out["evidence"] = nlohmann::ordered_json::parse(row.finding.evidence, nullptr, false);
    return out;
}

int change(const Globals& globals, const DeviationsOptions& options, DeviationStatus to) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    auto found = storage->deviations().find(options.id);
    if (!found) return report(found.error());
    if (!*found) return report({core::Errc::not_found, fmt::format("there is no deviation {}", options.id)});
    const auto before = (*found)->status;
    auto changed =
        deviation::change_status(std::move(**found), to, {options.by, options.comment, std::nullopt}, time::SystemClock{}.now());
    if (!changed) return report(changed.error());
    if (auto stored = storage->deviations().update_if(*changed, before); !stored) return report(stored.error());
    fmt::print("deviation {}: {} -> {}\n", options.id, core::name_of(before), core::name_of(to));
    return kOk;
}

}  // namespace

int deviations_list(const Globals& globals, const DeviationsOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    ports::DeviationQuery query;
    query.limit = options.limit;
    if (!options.status.empty()) query.status = core::deviation_status_from(options.status);
    if (!options.rule_id.empty()) query.rule_id = options.rule_id;
    const auto rows = storage->deviations().list(query);
    if (!rows) return report(rows.error());
    for (const auto& row : *rows) {
        if (globals.json) {
            print_json(json_of(row));
        } else {
            fmt::print("{:>5}  {:<7} {:<9} {:<7} {}/{}/{}  since {}  {}\n", row.deviation_id, core::name_of(row.status),
                       core::name_of(row.finding.severity), row.rule_id, row.scope.org_id, row.scope.home_id,
                       row.scope.subject_id, time::format_utc(row.started_at), row.finding.title);
        }
    }
    if (rows->empty() && !globals.json) fmt::print("no deviations\n");
    return kOk;
}

int deviations_ack(const Globals& globals, const DeviationsOptions& options) {
    return change(globals, options, DeviationStatus::ack);
}
int deviations_close(const Globals& globals, const DeviationsOptions& options) {
    return change(globals, options, DeviationStatus::closed);
}

}  // namespace varde::app
