#include "plugins/elf_library.hpp"

#include "plugins/elf_image.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace varde::plugins {
namespace {

constexpr std::size_t kMaxNeeded = 64;
constexpr std::size_t kMaxDynamicEntries = 4096;

/// The dynamic section as the loader sees it.
struct Dynamic {
    std::vector<Elf64_Dyn> entries;  ///< without the closing DT_NULL
    std::uint64_t strings = 0;       ///< offset in the file
    std::uint64_t strings_size = 0;

    /// Of several the last one: that is the one the loader takes.
    [[nodiscard]] const Elf64_Dyn* find(Elf64_Sxword tag) const {
        const auto found = std::find_if(entries.rbegin(), entries.rend(), [&](const auto& entry) { return entry.d_tag == tag; });
        return found == entries.rend() ? nullptr : &*found;
    }
    [[nodiscard]] bool has_flag(Elf64_Sxword tag, std::uint64_t bit) const {
        return std::ranges::any_of(entries,
                                   [&](const auto& entry) { return entry.d_tag == tag && (entry.d_un.d_val & bit) != 0; });
    }
};

Read<Dynamic> read_dynamic(const ElfImage& image) {
    const auto damaged = [](std::string_view what) { return unusable(fmt::format("has a damaged dynamic section: {}", what)); };
    const auto* segment = image.segment(PT_DYNAMIC);
    if (segment == nullptr) return unusable("has no dynamic section: it is not a shared library; link it with -shared");
    // The loader goes by the address; a header whose offset says something else would show us another section than it reads.
    const auto offset = image.offset_of(segment->p_vaddr, segment->p_filesz);
    if (!offset || *offset != segment->p_offset) return damaged("its address is not its place in the file");
    Dynamic dynamic;
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
        if (at + sizeof(Elf64_Dyn) > segment->p_filesz) return damaged("it has no end");
        if (dynamic.entries.size() == kMaxDynamicEntries) return damaged("it is too long");
        const auto entry = image.at<Elf64_Dyn>(*offset + at);
        if (!entry) return damaged("it lies outside the file");
        if (entry->d_tag == DT_NULL) break;
        dynamic.entries.push_back(*entry);
    }
    const auto* strings = dynamic.find(DT_STRTAB);
    const auto* size = dynamic.find(DT_STRSZ);
    const auto place = strings && size ? image.offset_of(strings->d_un.d_ptr, size->d_un.d_val) : std::nullopt;
    if (!place) return damaged("its texts lie outside the file");
    dynamic.strings = *place;
    dynamic.strings_size = size->d_un.d_val;
    return dynamic;
}

bool always_allowed(std::string_view soname) {
    constexpr std::array<std::string_view, 4> allowed{"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1"};
    return std::ranges::find(allowed, soname) != allowed.end() ||
           (soname.starts_with("ld-linux") && soname.find(".so.") != std::string_view::npos);
}

Read<std::vector<std::string>> read_needed(const ElfImage& image, const Dynamic& dynamic, std::span<const std::string> more) {
    std::vector<std::string> needed;
    for (const auto& entry : dynamic.entries) {
        if (entry.d_tag != DT_NEEDED) continue;
        const auto at = entry.d_un.d_val;
        if (at >= dynamic.strings_size || needed.size() == kMaxNeeded) return unusable("has a damaged list of needed libraries");
        const auto soname = image.text_at(dynamic.strings + at, dynamic.strings_size - at);
        // A name with a slash is a path: whoever can write there would decide what is loaded.
        const bool allowed = soname.find('/') == std::string_view::npos &&
                             (always_allowed(soname) || std::ranges::find(more, soname) != more.end());
        if (!allowed) {
            return untrusted(
                fmt::format("needs the library '{}', which a rule may not load; link it statically (and see "
                            "plugins.libraries in host.yaml)",
                            printable(soname)));
        }
        needed.emplace_back(soname);
    }
    return needed;
}

Read<void> check_memory(const ElfImage& image) {
    for (const auto& segment : image.segments()) {
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0 && (segment.p_flags & PF_X) != 0)
            return untrusted(
                "has memory that is both writable and executable; link it without -N, --omagic or an own linker script");
    }
    const auto* stack = image.segment(PT_GNU_STACK);
    if (stack == nullptr || (stack->p_flags & PF_X) != 0) {
        return untrusted(
            "asks for an executable stack; link it with -Wl,-z,noexecstack (an assembler file needs a section .note.GNU-stack)");
    }
    return {};
}

Read<void> check_dynamic(const ElfImage& image, const Dynamic& dynamic) {
    if (dynamic.has_flag(DT_FLAGS_1, DF_1_PIE)) return unusable("is a program, not a shared library; link it with -shared");
    if (dynamic.find(DT_TEXTREL) != nullptr || dynamic.has_flag(DT_FLAGS, DF_TEXTREL))
        return untrusted("has relocations in its code, which would make code writable; compile every file with -fPIC");
    for (const auto tag : {DT_RPATH, DT_RUNPATH}) {
        const auto* path = dynamic.find(tag);
        if (path == nullptr) continue;
        const auto at = std::min(path->d_un.d_val, dynamic.strings_size);
        return untrusted(fmt::format("has a search path for libraries ({} '{}'); link it without -rpath",
                                     tag == DT_RPATH ? "RPATH" : "RUNPATH",
                                     printable(image.text_at(dynamic.strings + at, dynamic.strings_size - at))));
    }
    for (const auto tag : {DT_FILTER, DT_AUXILIARY, DT_AUDIT, DT_DEPAUDIT, DT_CONFIG}) {
        if (dynamic.find(tag) != nullptr)
            return untrusted(
                "names a filter, an auditor or a configuration for the loader; link it without -f, -F, --audit and --depaudit");
    }
    return {};
}

/// The notes of a segment, by the alignment it declares.
std::string build_id_in(const ElfImage& image, const Elf64_Phdr& segment) {
    const std::uint64_t alignment = segment.p_align == 8 ? 8 : 4;
    const auto padded = [&](std::uint64_t size) { return (size + alignment - 1) / alignment * alignment; };
    for (std::uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= segment.p_filesz;) {
        const auto note = image.at<Elf64_Nhdr>(segment.p_offset + at);
        if (!note) return {};
        const auto name_at = at + sizeof(Elf64_Nhdr);
        const auto text_at = name_at + padded(note->n_namesz);
        const auto next = text_at + padded(note->n_descsz);
        if (next > segment.p_filesz) return {};
        const bool wanted = note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
                            image.text_at(segment.p_offset + name_at, note->n_namesz) == ELF_NOTE_GNU;
        if (wanted && note->n_descsz >= 1 && note->n_descsz <= 64) {
            std::string hex;
            for (const auto byte : image.bytes_at(segment.p_offset + text_at, note->n_descsz))
                hex += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
            return hex;
        }
        at = next;
    }
    return {};
}

std::string build_id_of(const ElfImage& image) {
    for (const auto& segment : image.segments()) {
        if (segment.p_type != PT_NOTE) continue;
        if (auto found = build_id_in(image, segment); !found.empty()) return found;
    }
    return {};
}

}  // namespace

Read<ElfLibrary> read_library(std::span<const std::byte> bytes, std::span<const std::string> more_libraries) {
    const auto image = ElfImage::open(bytes);
    if (!image) return tl::unexpected{image.error()};
    const auto dynamic = read_dynamic(*image);
    if (!dynamic) return tl::unexpected{dynamic.error()};
    if (auto checked = check_memory(*image); !checked) return tl::unexpected{checked.error()};
    if (auto checked = check_dynamic(*image, *dynamic); !checked) return tl::unexpected{checked.error()};
    auto needed = read_needed(*image, *dynamic, more_libraries);
    if (!needed) return tl::unexpected{needed.error()};
    ElfLibrary library;
    library.build_id = build_id_of(*image);
    library.needed = std::move(*needed);
    library.binds_now = dynamic->find(DT_BIND_NOW) != nullptr || dynamic->has_flag(DT_FLAGS, DF_BIND_NOW) ||
                        dynamic->has_flag(DT_FLAGS_1, DF_1_NOW);
    library.relro = image->segment(PT_GNU_RELRO) != nullptr;
    return library;
}

}  // namespace varde::plugins
