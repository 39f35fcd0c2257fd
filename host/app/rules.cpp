#include "api/incident_text.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "time/utc_text.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>

namespace varde::app {
namespace {

struct RuleLine {
    bool configured = false;
    bool enabled = false;
    std::string plugin = "no plugin";
    std::string sha256;
    core::BreakerRecord breaker;
};

/// Writes beside the file and renames: a host that watches it never sees half of it.
core::Result<void> replace_file(const std::filesystem::path& path, const std::string& text) {
    const auto fresh = path.string() + ".new";
    std::error_code failed;
    std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
    out << text;
    out.close();
    if (out) std::filesystem::permissions(fresh, std::filesystem::status(path).permissions(), failed);
    if (out && !failed) std::filesystem::rename(fresh, path, failed);
    if (!out || failed) return core::fail(core::Errc::io_failed, "cannot write " + path.string());
    return {};
}

/// What the database knows of rules that are not healthy. Without a database the list has everything else to say.
std::vector<core::BreakerRecord> stored_breakers(const config::HostConfig& settings) {
    // Looking must not make an empty database where there is none.
    constexpr std::string_view kSqlite = "sqlite:";
    const auto& url = settings.database.url;
    if (url.starts_with(kSqlite) && !std::filesystem::exists(url.substr(kSqlite.size()))) return {};
    auto storage = Storage::open(settings, Storage::Schema::must_be_current);
    auto rows = storage ? storage->incidents().breakers() : tl::unexpected{storage.error()};
    if (rows) return std::move(*rows);
    std::cerr << fmt::format("varde: not known which rules are out of service: {}\n", rows.error().context);
    return {};
}

std::string breaker_text(const core::BreakerRecord& breaker) {
    if (breaker.state == core::BreakerState::healthy) return "";
    auto text = fmt::format("  {}", core::name_of(breaker.state));
    if (breaker.until != core::Instant{}) text += " until " + time::format_utc(breaker.until);
    return text + fmt::format(": {} (incident {})", breaker.reason, breaker.incident_id.substr(0, 8));
}

}  // namespace

int rules_list(const Globals& globals) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    const auto rules = config::load_rules(settings->rules_file);
    if (!rules) return report(rules.error());
    plugins::DirectoryCatalogue catalogue{settings->plugins_dir, settings->plugins};
    const auto found = catalogue.scan();
    if (!found) return report(found.error());
    std::map<std::string, RuleLine> lines;
    for (const auto& [id, rule] : rules->rules) lines[id] = {true, rule.enabled_in_scheduler, "no plugin", "", {}};
    for (const auto& plugin : found->plugins) {
        lines[plugin.rule_id].plugin = fmt::format("{} {} {}", plugin.version, plugin.sha256.substr(0, 12), plugin.path);
        lines[plugin.rule_id].sha256 = plugin.sha256;
    }
    for (auto& breaker : stored_breakers(*settings)) {
        // Another file than the one that fell starts healthy.
        const auto line = lines.find(breaker.rule_id);
        if (line != lines.end() && line->second.sha256 == breaker.sha256) line->second.breaker = std::move(breaker);
    }
    for (const auto& [id, line] : lines) {
        if (globals.json) {
            print_json({{"rule_id", id},
                        {"configured", line.configured},
                        {"enabled_in_scheduler", line.enabled},
                        {"plugin", line.plugin},
                        {"breaker", nlohmann::ordered_json::parse(api::breaker_json(line.breaker))}});
        } else {
            fmt::print("{:<12} {:<9} {}{}{}\n", id, line.enabled ? "enabled" : "disabled", line.plugin,
                       line.configured ? "" : "  (not in rules.yaml)", breaker_text(line.breaker));
        }
    }
    for (const auto& rejected : found->rejected) {
        std::cerr << fmt::format("{}: {}: {}\n", rejected.path, core::name_of(rejected.reason), rejected.message);
    }
    return found->rejected.empty() ? kOk : kPluginBroken;
}

int rules_enable(const Globals& globals, const std::string& rule_id, bool enabled) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    const auto& path = settings->rules_file;
    std::ifstream in{path, std::ios::binary};
    if (!in) return report({core::Errc::io_failed, "cannot read " + path.string()});
    std::ostringstream text;
    text << in.rdbuf();
    const auto edited = config::with_rule_enabled(text.str(), path.string(), rule_id, enabled);
    if (!edited) return report(edited.error());
    if (auto written = replace_file(path, *edited); !written) return report(written.error());
    fmt::print("{}: {} is {}; a running host picks it up within two seconds\n", path.string(), rule_id,
               enabled ? "enabled" : "disabled");
    return kOk;
}

}  // namespace varde::app
