#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "plugins/elf_library.hpp"
#include "plugins/lock_file.hpp"
#include "plugins/plugin_file.hpp"

#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app {
namespace {

using nlohmann::ordered_json;

/// Everything that can be known of a file without running it.
struct Facts {
    ports::Plugin plugin;
    plugins::ElfLibrary library;
    std::string signature;  ///< whether it was asked for; a bad one is a refusal
    std::string lock;
};

int refuse(const ports::RejectedPlugin& rejected) {
    std::cerr << fmt::format("{}: {}: {}\n", rejected.path, core::name_of(rejected.reason), rejected.message);
    return kPluginBroken;
}

ordered_json json_of(const Facts& facts) {
    const auto& plugin = facts.plugin;
    const bool is_job = plugin.kind == ports::PluginKind::job;
    return {{"path", plugin.path},
            {"kind", is_job ? "job" : "rule"},
            {is_job ? "job_id" : "rule_id", plugin.rule_id},
            {"version", plugin.version},
            {"sdk", plugin.sdk},
            {"abi", fmt::format("{}.{}", plugin.abi_major, plugin.abi_minor_needed)},
            {"sha256", plugin.sha256},
            {"size", plugin.size},
            {"build_id", plugin.build_id},
            {"needed", facts.library.needed},
            {"bind_now", facts.library.binds_now},
            {"relro", facts.library.relro},
            {"signature", facts.signature},
            {"lock_file", facts.lock}};
}

void print_text(const Facts& facts) {
    const auto& plugin = facts.plugin;
    const auto say = [](std::string_view what, const std::string& text) { fmt::print("{:<10} {}\n", what, text); };
    say("file", plugin.path);
    say(plugin.kind == ports::PluginKind::job ? "job" : "rule", plugin.rule_id);
    say("version", plugin.version);
    say("sdk", plugin.sdk);
    say("abi", fmt::format("{}.{} needed", plugin.abi_major, plugin.abi_minor_needed));
    say("sha256", plugin.sha256);
    say("size", fmt::format("{} bytes", plugin.size));
    say("build id", plugin.build_id.empty() ? "none" : plugin.build_id);
    say("needs", facts.library.needed.empty() ? "no library" : fmt::format("{}", fmt::join(facts.library.needed, ", ")));
    say("hardening",
        fmt::format("{}, {}", facts.library.binds_now ? "bind now" : "no bind now", facts.library.relro ? "relro" : "no relro"));
    say("signature", facts.signature);
    say("lock file", facts.lock);
}

}  // namespace

int plugin_inspect(const Globals& globals, const std::string& file) {
    const auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    const auto trust = plugins::load_trust(settings->plugins);
    if (!trust) return report(trust.error());
    const auto plugin = plugins::inspect(file, *trust);
    if (!plugin) return refuse(plugin.error());
    Facts facts{*plugin, {}, trust->signature_key ? "valid" : "not asked for", "none"};
    if (!settings->plugins.lock_file.empty()) {
        const auto lock = plugins::LockFile::load(settings->plugins.lock_file);
        if (!lock) return report(lock.error());
        if (auto why = lock->refusal(std::filesystem::path{file}.filename().string(), plugin->sha256))
            return refuse({plugin->path, plugin->rule_id, core::FailureReason::untrusted_file, std::move(*why)});
        facts.lock = "listed";
    }
    const plugins::MappedFile mapped{*plugin->bytes, plugin->size};
    auto library = plugins::read_library(mapped.bytes(), trust->libraries);
    if (!library) return refuse(library.error());
    facts.library = std::move(*library);
    globals.json ? print_json(json_of(facts)) : print_text(facts);
    return kOk;
}

}  // namespace varde::app
