#include "app/plugin_check/check.hpp"
#include "plugins/elf_library.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::app::plugin_check {
namespace {

constexpr std::uint64_t kLargeFile = 8ull << 20;

/// The sealed bytes of a subject whose file is not refused.
class Image {
  public:
    explicit Image(const Subject& subject) : mapped_{*subject.plugin->bytes, subject.plugin->size} {}
    [[nodiscard]] std::span<const std::byte> bytes() const { return mapped_.bytes(); }

  private:
    plugins::MappedFile mapped_;
};

Answer check_accepted(const Subject& subject) {
    if (subject.refusal) return fail(fmt::format("{}: {}", core::name_of(subject.refusal->reason), subject.refusal->message));
    const auto& plugin = *subject.plugin;
    return pass(fmt::format("{}{} {}, ABI {}.{}, {}", plugin.kind == ports::PluginKind::job ? "the job " : "", plugin.rule_id,
                            plugin.version, plugin.abi_major, plugin.abi_minor_needed,
                            plugin.sdk.empty() ? "SDK not named" : plugin.sdk));
}

Answer check_manifest(const Subject& subject) {
    const auto& plugin = *subject.plugin;
    if (subject.manifest_file.empty())
        return warn(fmt::format("there is neither {0}.yaml nor rule.yaml beside the file; the rule is created with no parameters",
                                subject.file.stem().string()));
    if (!subject.manifest) return fail(subject.manifest.error().context);
    if (subject.manifest->id != plugin.rule_id)
        return fail(
            fmt::format("{} is about {}, the file is {}", subject.manifest_file.string(), subject.manifest->id, plugin.rule_id));
    if (!subject.manifest->version.empty() && subject.manifest->version != plugin.version) {
        return warn(fmt::format("{} says version {}, the file says {}", subject.manifest_file.string(), subject.manifest->version,
                                plugin.version));
    }
    return pass(fmt::format("{} describes {} parameters", subject.manifest_file.string(), subject.manifest->params.size()));
}

Answer check_exports(const Subject& subject) {
    const bool is_job = subject.plugin->kind == ports::PluginKind::job;
    const std::string entry = is_job ? "varde_job_v1" : "varde_rule_v1";
    const auto symbols = plugins::exported_symbols(Image{subject}.bytes());
    if (!symbols) return fail("the table of dynamic symbols cannot be read; do not strip section headers");
    const auto found = std::ranges::find(*symbols, entry, &plugins::ExportedSymbol::name);
    if (found == symbols->end())
        return fail(fmt::format("{} is not exported; use {} or VARDE_EXPORT", entry, is_job ? "VARDE_JOB" : "VARDE_RULE"));
    std::vector<std::string> strong;
    std::vector<std::string> weak;
    for (const auto& symbol : *symbols)
        if (symbol.name != entry) (symbol.weak ? weak : strong).push_back(symbol.name);
    const auto advice = fmt::format("link with the version script of varde_add_{}(), or compile with -fvisibility=hidden",
                                    is_job ? "job" : "rule");
    if (!strong.empty())
        return fail(
            fmt::format("{} more symbols are exported, {} first; {}", strong.size() + weak.size(), strong.front(), advice));
    if (!weak.empty()) {
        return warn(fmt::format("{} weak symbols are exported too, {} first: leftovers of templates; {}", weak.size(),
                                weak.front(), advice));
    }
    return pass(fmt::format("{} and nothing else", entry));
}

Answer check_libraries(const Subject& subject) {
    const auto library = plugins::read_library(Image{subject}.bytes(), subject.trust.libraries);
    if (!library) return fail(library.error().message);
    const auto usual = plugins::read_library(Image{subject}.bytes());
    if (!usual)
        return warn(
            "needs a library that only plugins.libraries allows; the sandboxed worker opens no files, so link it statically");
    return pass(library->needed.empty() ? "needs no library" : fmt::format("needs {}", fmt::join(library->needed, ", ")));
}

Answer check_hardening(const Subject& subject) {
    const auto library = plugins::read_library(Image{subject}.bytes(), subject.trust.libraries);
    if (!library) return fail(library.error().message);
    if (!library->binds_now) return warn("symbols are found at their first use, not at load; link with -Wl,-z,now");
    if (!library->relro) return warn("address tables stay writable; link with -Wl,-z,relro");
    return pass("bind now, relro, no executable stack, nothing writable and executable");
}

Answer check_frame_pointers(const Subject& subject) {
    const auto frames = plugins::frame_pointers(Image{subject}.bytes());
    if (!frames) return skip("there is no unwind table to count functions by");
    constexpr std::uint32_t few_functions = 8;
    const auto text = fmt::format("about {} of {} functions keep one", frames->kept, frames->functions);
    if (frames->functions < few_functions || frames->kept * 4 >= frames->functions) return pass(text);
    return warn(text + ": a crash report would have two frames only; compile with -fno-omit-frame-pointer");
}

Answer check_build_id(const Subject& subject) {
    const auto& id = subject.plugin->build_id;
    return id.empty()
               ? warn("there is none: a crash report could not be matched with debug information; link with -Wl,--build-id")
               : pass(id);
}

Answer check_size(const Subject& subject) {
    const auto size = subject.plugin->size;
    const auto text = fmt::format("{} KiB", (size + 1023) / 1024);
    return size > kLargeFile ? warn(text + ": every worker maps all of it; strip debug information into a file of its own")
                             : pass(text);
}

}  // namespace

std::vector<Check> file_checks() {
    return {
        {"file.accepted", "the host would take the file: owner, mode, kind, machine, note, memory, libraries", true, false,
         check_accepted, true},
        {"file.manifest", "the rule.yaml beside it is about this rule", false, true, check_manifest},
        {"file.exports", "exactly one symbol is exported", false, true, check_exports, true},
        {"file.libraries", "it needs only libraries that a worker has", false, true, check_libraries, true},
        {"file.hardening", "symbols are bound at load, address tables are read-only", false, true, check_hardening, true},
        {"file.frame_pointers", "crash reports will have stacks", false, true, check_frame_pointers, true},
        {"file.build_id", "crash reports can be matched with debug information", false, true, check_build_id, true},
        {"file.size", "it is not needlessly large", false, true, check_size, true},
    };
}

}  // namespace varde::app::plugin_check
