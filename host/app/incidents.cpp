#include "api/incident_text.hpp"
#include "app/composition.hpp"
#include "app/modules.hpp"
#include "config/settings.hpp"
#include "core/evidence_facts.hpp"
#include "evaluate/post_mortem.hpp"
#include "plugins/plugin_file.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <string>
#include <variant>

namespace varde::app {
namespace {

std::string one_line(std::string text) {
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20; }, ' ');
    return text;
}

std::string home_of(const core::Scope& scope) {
    if (scope.org_id.empty()) return "none: it happened while the plugin was loaded";
    return fmt::format("{}/{}/{}", scope.org_id, scope.home_id, scope.subject_id);
}

/// Texts of several lines keep them, indented.
std::string value_text(const core::EvidenceFact& fact) {
    if (const auto* const at = std::get_if<core::Instant>(&fact.value)) return time::format_utc(*at);
    if (const auto* const number = std::get_if<std::int64_t>(&fact.value)) return std::to_string(*number);
    std::string text;
    if (const auto* const lines = std::get_if<std::vector<std::string>>(&fact.value)) {
        for (const auto& line : *lines) text += "\n  " + line;
        return text;
    }
    const auto& value = std::get<std::string>(fact.value);
    if (value.find('\n') == std::string::npos) return value;
    text = "\n  ";
    for (const char c : value) text += c == '\n' ? "\n  " : std::string(1, c);
    return text;
}

void print_facts(const core::Evidence& evidence) {
    std::string_view part;
    for (const auto& fact : core::facts_of(evidence)) {
        if (fact.part != part && !fact.part.empty()) fmt::print("{}\n", fact.part);
        part = fact.part;
        fmt::print("{}{:<{}} {}\n", part.empty() ? "" : "  ", fact.name, part.empty() ? 10 : 20, value_text(fact));
    }
}

void print_incident(const core::Incident& incident) {
    const auto& failure = incident.failure;
    fmt::print("{:<10} {}\n{:<10} {}\n{:<10} {}\n{:<10} {}\n", "incident", incident.incident_id, "rule", incident.rule_id, "home",
               home_of(incident.scope), "at", time::format_utc(incident.at));
    if (incident.repeats > 0) {
        fmt::print("{:<10} {} more times, the last one at {}\n", "again", incident.repeats, time::format_utc(incident.last_at));
    }
    fmt::print("{:<10} {} in phase {}\n{:<10} {}\n", "reason", core::name_of(failure.reason), core::name_of(failure.phase),
               "message", one_line(failure.message));
    if (failure.signal != 0) fmt::print("{:<10} {}\n", "signal", failure.signal);
    if (failure.reason == core::FailureReason::exited) fmt::print("{:<10} {}\n", "exit code", failure.exit_code);
    if (failure.evidence) print_facts(*failure.evidence);
}

/// Names the functions on the stack of a stored incident, if they are not named yet and the plugin is still at hand beside the bundle.
/// Kept for the next reader; what cannot be found out is left as it is.
void name_functions(core::Incident& incident, const config::HostConfig& settings, ports::IncidentRepository& incidents) {
    const auto& evidence = incident.failure.evidence;
    if (!evidence || evidence->bundle.empty()) return;
    const bool named = std::ranges::any_of(evidence->frames, [](const auto& frame) { return !frame.function.empty(); });
    if (named) return;
    const auto stored = evaluate::read_replay(evidence->bundle);
    if (!stored) return;
    const auto plugin = plugins::inspect(stored->plugin, {settings.plugins.libraries, {}});
    if (!plugin || plugin->sha256 != evidence->sha256) return;
    Log log{settings, stderr};
    auto frames = evaluate::symbolise(settings.isolation, *plugin, evidence->frames, log.sink());
    if (!frames) return;
    auto filled = std::make_shared<core::Evidence>(*evidence);
    filled->frames = std::move(*frames);
    (void)incidents.symbolise(incident.incident_id, filled->frames);
    incident.failure.evidence = std::move(filled);
}

}  // namespace

int incidents_list(const Globals& globals, const IncidentsOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    ports::IncidentRepository::Query query;
    query.rule_id = options.rule_id;
    query.limit = static_cast<std::uint32_t>(options.limit);
    const auto rows = storage->incidents().list(query);
    if (!rows) return report(rows.error());
    for (const auto& row : *rows) {
        if (globals.json) {
            fmt::print("{}\n", api::incident_json(row, api::Detail::brief));
        } else {
            fmt::print("{}  {}  {:<8} {:<18} {:<8} {:>6}  {}\n", row.incident_id.substr(0, 8),
                       time::format_utc(std::chrono::floor<std::chrono::seconds>(row.at)), row.rule_id,
                       core::name_of(row.failure.reason), core::name_of(row.failure.phase),
                       row.repeats == 0 ? "" : fmt::format("+{}", row.repeats), one_line(row.failure.message));
        }
    }
    if (rows->empty() && !globals.json) fmt::print("no incidents\n");
    return kOk;
}

int incidents_show(const Globals& globals, const IncidentsOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    auto found = storage->incidents().find(options.id);
    if (!found) return report(found.error());
    if (!*found) {
        return report(
            {core::Errc::not_found, fmt::format("there is no incident {}, or more than one that starts so; give at least 8 "
                                                "characters of an id of `varde incidents list`",
                                                options.id)});
    }
    settings->log_level = "error";
    name_functions(**found, *settings, storage->incidents());
    if (globals.json) {
        fmt::print("{}\n", api::incident_json(**found, api::Detail::whole));
    } else {
        print_incident(**found);
    }
    return kOk;
}

int rules_release(const Globals& globals, const std::string& rule_id) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    const auto released = storage->incidents().release(rule_id);
    if (!released) return report(released.error());
    if (*released) {
        fmt::print("{} is released: its failures are forgotten; a running host notices within two seconds\n", rule_id);
        return kOk;
    }
    const auto rules = config::load_rules(settings->rules_file);
    if (rules && !rules->rules.contains(rule_id)) {
        return report({core::Errc::not_found, fmt::format("{} has no rule {}", settings->rules_file.string(), rule_id)});
    }
    fmt::print("{} was not out of service\n", rule_id);
    return kOk;
}

}  // namespace varde::app
