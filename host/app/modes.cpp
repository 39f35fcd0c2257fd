#include "api/monitor_mode_text.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "time/utc_text.hpp"

#include <iostream>

#include <fmt/format.h>

namespace varde::app {
namespace {

/// A slip of the pen would set the mode of a rule that does not exist.
void warn_if_unknown(const config::HostConfig& settings, const std::string& rule_id) {
    const auto rules = config::load_rules(settings.rules_file);
    if (rules && !rules->rules.contains(rule_id)) {
        std::cerr << fmt::format("varde: {} has no rule {}; its mode is kept until there is one\n", settings.rules_file.string(),
                                 rule_id);
    }
}

}  // namespace

int modes_list(const Globals& globals, const ModesOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    ports::MonitorModeQuery query;
    query.scope = {options.home.org, options.home.home, options.home.subject};
    query.limit = 5000;
    if (!options.rule_id.empty()) query.monitor_key = options.rule_id;
    const auto rows = storage->modes().list(query);
    if (!rows) return report(rows.error());
    for (const auto& row : *rows) {
        if (globals.json) {
            print_json(api::monitor_mode_json(row));
            continue;
        }
        const auto room = row.room_id == ports::kWholeHome ? std::string{} : " room " + row.room_id;
        fmt::print("{}/{}/{}  {:<8} {:<4}{}  since {} by {}\n", row.scope.org_id, row.scope.home_id, row.scope.subject_id,
                   row.monitor_key, core::name_of(row.mode), room, time::format_utc(row.updated_at), row.updated_by);
    }
    if (rows->empty() && !globals.json) fmt::print("every rule is ON\n");
    return kOk;
}

int modes_set(const Globals& globals, const ModesOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    const core::Scope none;
    const auto or_default = [](const std::string& given, const std::string& fallback) {
        return given.empty() ? fallback : given;
    };
    ports::MonitorModeRow row;
    row.scope = {or_default(options.home.org, none.org_id), or_default(options.home.home, none.home_id),
                 or_default(options.home.subject, none.subject_id)};
    row.monitor_key = options.rule_id;
    row.mode = core::monitor_mode_from(options.mode).value_or(core::MonitorMode::on);  // the command line was checked
    row.updated_at = time::SystemClock{}.now();
    row.updated_by = options.by;
    warn_if_unknown(*settings, options.rule_id);
    const auto before = storage->modes().set(row);
    if (!before) return report(before.error());
    fmt::print("{} in {}/{}/{}: {} -> {}; a running host goes by it from its next run\n", row.monitor_key, row.scope.org_id,
               row.scope.home_id, row.scope.subject_id, core::name_of(*before), core::name_of(row.mode));
    return kOk;
}

}  // namespace varde::app
