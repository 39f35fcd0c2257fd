#include "plugins/plugin_file.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <elf.h>
#include <fmt/format.h>

#include <varde/rule.h>

namespace varde::plugins {
namespace {

using ports::Plugin;
using ports::RejectedPlugin;

constexpr std::string_view kSection = ".note.varde";

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
#error "name the ELF machine of this architecture"
#endif

tl::unexpected<RejectedPlugin> reject(core::FailureReason reason, std::string message) {
    return tl::unexpected{RejectedPlugin{{}, {}, reason, std::move(message)}};
}

/// The bytes of a file, read only through bounds checks: the file is hostile input.
class Image {
  public:
    explicit Image(std::span<const std::byte> bytes) : bytes_{bytes} {}
    template <class T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof(T));
        return value;
    }
    [[nodiscard]] std::string_view text_at(std::uint64_t offset, std::size_t most) const {
        if (offset >= bytes_.size()) return {};
        const auto length = std::min<std::uint64_t>(most, bytes_.size() - offset);
        const std::string_view all{reinterpret_cast<const char*>(bytes_.data()) + offset, length};
        return all.substr(0, all.find('\0'));
    }

  private:
    std::span<const std::byte> bytes_;
};

/// The section's offset, or what is wrong with the file.
tl::expected<std::uint64_t, RejectedPlugin> find_section(const Image& image) {
    const auto no_library = [] {
        return reject(core::FailureReason::load_failed, "is not a shared library (ELF) for this machine");
    };
    const auto header = image.at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_type != ET_DYN || header->e_machine != kMachine) {
        return no_library();
    }
    if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum == 0 || header->e_shstrndx >= header->e_shnum)
        return no_library();
    const auto section = [&](std::uint32_t i) {
        return image.at<Elf64_Shdr>(header->e_shoff + std::uint64_t{i} * sizeof(Elf64_Shdr));
    };
    const auto names = section(header->e_shstrndx);
    if (!names) return reject(core::FailureReason::load_failed, "is cut off: its section table lies outside the file");
    for (std::uint32_t i = 0; i < header->e_shnum; ++i) {
        const auto candidate = section(i);
        if (!candidate) return reject(core::FailureReason::load_failed, "is cut off: its section table lies outside the file");
        if (image.text_at(names->sh_offset + candidate->sh_name, kSection.size() + 1) != kSection) continue;
        if (candidate->sh_size != sizeof(varde_note))
            return reject(core::FailureReason::load_failed, "has a damaged .note.varde");
        return candidate->sh_offset;
    }
    return reject(core::FailureReason::load_failed,
                  "has no section .note.varde: it is not a Varde rule (build it with varde_add_rule())");
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

tl::expected<Plugin, RejectedPlugin> read_note(std::span<const std::byte> bytes) {
    const Image image{bytes};
    const auto offset = find_section(image);
    if (!offset) return tl::unexpected{offset.error()};
    const auto note = image.at<varde_note>(*offset);
    if (!note || note->name_size != 8 || note->type != VARDE_NOTE_TYPE || std::memcmp(note->name, "varde\0\0\0", 8) != 0) {
        return reject(core::FailureReason::load_failed, "has a damaged .note.varde");
    }
    Plugin plugin;
    const auto rule_id = field(note->rule_id, true);
    const auto version = field(note->version, false);
    if (!rule_id || !version)
        return reject(core::FailureReason::load_failed, "has a .note.varde without a usable rule id or version");
    plugin.rule_id = *rule_id;
    plugin.version = *version;
    plugin.sdk = field(note->sdk, false).value_or("");
    plugin.abi_major = note->abi_major;
    plugin.abi_minor_needed = note->abi_minor_needed;
    if (plugin.abi_major != VARDE_ABI_MAJOR || plugin.abi_minor_needed > VARDE_ABI_MINOR) {
        auto rejected = reject(
            core::FailureReason::abi_mismatch,
            fmt::format("needs rule ABI {}.{}, this host has {}.{}; {}", plugin.abi_major, plugin.abi_minor_needed,
                        VARDE_ABI_MAJOR, VARDE_ABI_MINOR,
                        plugin.abi_major < VARDE_ABI_MAJOR ? "rebuild the rule with this version's SDK" : "upgrade the host"));
        rejected.value().rule_id = plugin.rule_id;
        return rejected;
    }
    return plugin;
}

}  // namespace varde::plugins
