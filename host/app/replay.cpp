#include "app/case_json.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "evaluate/post_mortem.hpp"
#include "plugins/plugin_file.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace varde::app {
namespace {

/// The bundle's file: named directly, or by the incident it was kept for.
core::Result<std::filesystem::path> bundle_file(const config::HostConfig& settings, const std::string& named) {
    if (named.ends_with(".bundle")) return std::filesystem::path{named};
    auto storage = Storage::open(settings, Storage::Schema::must_be_current);
    if (!storage) return tl::unexpected{storage.error()};
    const auto found = storage->incidents().find(named);
    if (!found) return tl::unexpected{found.error()};
    if (!*found)
        return core::fail(core::Errc::not_found, fmt::format("there is no incident {}, or more than one that starts so", named));
    const auto& evidence = (*found)->failure.evidence;
    if (!evidence || evidence->bundle.empty()) {
        return core::fail(
            core::Errc::not_found,
            fmt::format("no replay bundle was kept for incident {}: incidents.bundles_dir is empty, one of its kind had "
                        "been kept a moment before, or nothing had been asked yet",
                        named));
    }
    return std::filesystem::path{evidence->bundle};
}

/// Does not return if all goes well: this process becomes the debugger.
int debug(const config::HostConfig& settings, const std::string& bundle, const std::string& plugin) {
    std::string worker = settings.isolation.worker_path;
    if (worker.empty()) worker = binary_folder() / "varde-worker";
    std::string words[] = {"gdb", "--args", worker, "--replay", bundle, plugin};
    char* arguments[std::size(words) + 1] = {};
    for (std::size_t i = 0; i < std::size(words); ++i) arguments[i] = words[i].data();
    ::execvp("gdb", arguments);
    return report({core::Errc::io_failed, fmt::format("gdb cannot be started: {}; install it, or run: {} --replay {} {}",
                                                      std::strerror(errno), worker, bundle, plugin)});
}

void print_verdict(const Globals& globals, const wire::ReplayBundle& bundle, const ports::Plugin& plugin,
                   const core::Verdict& verdict) {
    EvalCase asked;
    asked.evaluation.rule_id = bundle.rule_id;
    asked.evaluation.window = {core::instant_from_us(bundle.item.since_us), core::instant_from_us(bundle.item.until_us)};
    auto line = answer(asked, verdict);
    line.erase("vector_id");
    line["sha256"] = plugin.sha256;
    if (globals.json) return print_json(line);
    fmt::print("{} {} on {} events of {}/{}/{}\n{}\n", bundle.rule_id, plugin.version, bundle.item.n_rows, bundle.org_id,
               bundle.home_id, bundle.subject_id, line.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

int replay(const Globals& globals, const ReplayOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    settings->log_level = "error";
    const auto file = bundle_file(*settings, options.incident);
    if (!file) return report(file.error());
    auto stored = evaluate::read_replay(*file);
    if (!stored) return report(stored.error());
    const std::filesystem::path path = options.plugin.empty() ? stored->plugin : std::filesystem::path{options.plugin};
    const auto plugin = plugins::inspect(path, {settings->plugins.libraries, {}});
    if (!plugin) {
        return report({core::Errc::plugin_rejected,
                       fmt::format("{}: {}: {}", path.string(), core::name_of(plugin.error().reason), plugin.error().message)});
    }
    if (options.plugin.empty() && plugin->sha256 != stored->bundle.sha256)
        return report({core::Errc::plugin_rejected, path.string() + " is not the plugin of the bundle: its sha256 differs"});
    if (options.gdb) return debug(*settings, file->string(), path.string());
    Log log{*settings, stderr};
    const auto verdict = evaluate::replay(settings->isolation, stored->bundle, *plugin, log.sink());
    if (!verdict) return report(verdict.error());
    print_verdict(globals, stored->bundle, *plugin, *verdict);
    return std::holds_alternative<core::Failed>(*verdict) ? kFailed : kOk;
}

}  // namespace varde::app
