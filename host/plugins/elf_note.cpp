#include "plugins/elf_image.hpp"
#include "plugins/plugin_file.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <varde/job.h>

namespace varde::plugins {
namespace {

using ports::Plugin;

constexpr std::string_view kSection = ".note.varde";

Read<varde_note> find_note(const ElfImage& image) {
    const Elf64_Shdr* found = nullptr;
    for (const auto& section : image.sections()) {
        if (image.name_of(section) != kSection) continue;
        if (found != nullptr || section.sh_size > sizeof(varde_note))
            return unusable("has more than one note of a rule: link one rule into one library");
        found = &section;
    }
    if (found == nullptr) return unusable("has no section .note.varde: it is not a Varde rule (build it with varde_add_rule())");
    const auto note = image.at<varde_note>(found->sh_offset);
    if (!note || found->sh_type == SHT_NOBITS || found->sh_size != sizeof(varde_note) || note->name_size != 8 ||
        (note->type != VARDE_NOTE_TYPE && note->type != VARDE_JOB_NOTE_TYPE) || std::memcmp(note->name, "varde\0\0\0", 8) != 0)
        return unusable("has a damaged .note.varde");
    return *note;
}

/// The text of a NUL-padded field, if it is 1..31 printable characters of the allowed set.
std::optional<std::string> field(const char (&bytes)[32], bool identifier) {
    if (bytes[31] != '\0') return std::nullopt;
    const std::string text{bytes};
    const auto fits = [identifier](char c) {
        const bool word =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        return word || (!identifier && c >= ' ' && c <= '~');
    };
    if (text.empty() || !std::ranges::all_of(text, fits)) return std::nullopt;
    return text;
}

}  // namespace

Read<Plugin> read_note(std::span<const std::byte> bytes) {
    const auto image = ElfImage::open(bytes);
    if (!image) return tl::unexpected{image.error()};
    const auto note = find_note(*image);
    if (!note) return tl::unexpected{note.error()};
    Plugin plugin;
    const auto rule_id = field(note->rule_id, true);
    const auto version = field(note->version, false);
    if (note->type == VARDE_JOB_NOTE_TYPE) plugin.kind = ports::PluginKind::job;
    const bool is_job = plugin.kind == ports::PluginKind::job;
    if (!rule_id || !version)
        return unusable(fmt::format("has a .note.varde without a usable {} id or version", is_job ? "job" : "rule"));
    plugin.rule_id = *rule_id;
    plugin.version = *version;
    plugin.sdk = field(note->sdk, false).value_or("");
    plugin.abi_major = note->abi_major;
    plugin.abi_minor_needed = note->abi_minor_needed;
    const std::uint16_t major = is_job ? VARDE_JOB_ABI_MAJOR : VARDE_ABI_MAJOR;
    const std::uint16_t minor = is_job ? VARDE_JOB_ABI_MINOR : VARDE_ABI_MINOR;
    if (plugin.abi_major != major || plugin.abi_minor_needed > minor) {
        const char* const kind = is_job ? "job" : "rule";
        auto rejected = reject(
            core::FailureReason::abi_mismatch,
            fmt::format(
                "needs {} ABI {}.{}, this host has {}.{}; {}", kind, plugin.abi_major, plugin.abi_minor_needed, major, minor,
                plugin.abi_major < major ? fmt::format("rebuild the {} with this version's SDK", kind) : "upgrade the host"));
        rejected.value().rule_id = plugin.rule_id;
        rejected.value().kind = plugin.kind;
        return rejected;
    }
    return plugin;
}

}  // namespace varde::plugins
