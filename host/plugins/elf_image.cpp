#include "plugins/elf_image.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::plugins {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kMaxSegments = 128;
/// Of address space. The largest rule seen so far takes 2 MiB.
constexpr std::uint64_t kMaxMemory = 1ull << 30;

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "name the ELF machine of this architecture"
#endif

std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case EM_X86_64: return "x86-64";
        case EM_AARCH64: return "AArch64";
        case EM_386: return "i386";
        case EM_ARM: return "ARM";
        case EM_RISCV: return "RISC-V";
        default: return fmt::format("machine {}", machine);
    }
}

Read<void> check_header(const Elf64_Ehdr& header) {
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return unusable("is not an ELF file; a rule is a shared library built for this machine");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_ident[EI_VERSION] != EV_CURRENT)
        return unusable(fmt::format("is not a 64-bit little-endian ELF file; build it for {}", kMachineName));
    if (header.e_machine != kMachine) {
        return unusable(fmt::format("is built for {}, this host runs on {}; build it for this machine",
                                    machine_name(header.e_machine), kMachineName));
    }
    if (header.e_type == ET_EXEC || header.e_type == ET_REL || header.e_type == ET_CORE)
        return unusable("is a program, an object file or a core, not a shared library; link it with -shared");
    if (header.e_type != ET_DYN) return unusable(fmt::format("has an unknown ELF type {}; link it with -shared", header.e_type));
    return {};
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr std::size_t most = 100;
    std::string out{text.substr(0, most)};
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text.size() > most ? out + "..." : out;
}

Read<ElfImage> ElfImage::open(std::span<const std::byte> bytes) {
    ElfImage image{bytes};
    const auto header = image.at<Elf64_Ehdr>(0);
    if (!header) return unusable("is too short for an ELF file; is it complete?");
    return check_header(*header)
        .and_then([&] { return image.read_segments(*header); })
        .and_then([&] { return image.read_sections(*header); })
        .and_then([&] { return image.check_layout(); })
        .map([&] { return image; });
}

Read<void> ElfImage::read_segments(const Elf64_Ehdr& header) {
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments)
        return unusable(fmt::format("has {} program headers of {} bytes; 1 to {} of {} bytes can be read", header.e_phnum,
                                    header.e_phentsize, kMaxSegments, sizeof(Elf64_Phdr)));
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
        const auto place = i * sizeof(Elf64_Phdr);
        const auto segment = header.e_phoff <= bytes_.size() ? at<Elf64_Phdr>(header.e_phoff + place) : std::nullopt;
        if (!segment) return unusable("is cut off: its program headers lie outside the file; is it complete?");
        if (segment->p_type != PT_NULL && !holds(segment->p_offset, segment->p_filesz)) {
            return unusable(
                fmt::format("is cut off: segment {} ends outside the file of {} bytes; is it complete?", i, bytes_.size()));
        }
        segments_.push_back(*segment);
    }
    return {};
}

Read<void> ElfImage::read_sections(const Elf64_Ehdr& header) {
    // The loader does not need sections, but the note is found by one, and their table ends the file: half a file is noticed.
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum == 0 || header.e_shstrndx >= header.e_shnum)
        return unusable("has no usable section headers; do not strip them, the rule's note is found by them");
    section_names_ = header.e_shstrndx;
    for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
        const auto place = i * sizeof(Elf64_Shdr);
        const auto section = header.e_shoff <= bytes_.size() ? at<Elf64_Shdr>(header.e_shoff + place) : std::nullopt;
        if (!section) return unusable("is cut off: its section headers lie outside the file; is it complete?");
        if (section->sh_type != SHT_NULL && section->sh_type != SHT_NOBITS && !holds(section->sh_offset, section->sh_size))
            return unusable(
                fmt::format("is cut off: section {} ends outside the file of {} bytes; is it complete?", i, bytes_.size()));
        sections_.push_back(*section);
    }
    return {};
}

/// What offset_of() relies on: an address belongs to one segment, whatever the loader rounds to pages.
Read<void> ElfImage::check_layout() const {
    const auto damaged = [](std::string_view what) { return unusable(fmt::format("has damaged segments: {}", what)); };
    std::uint64_t free_from = 0;
    bool any = false;
    for (const auto& segment : segments_) {
        if (segment.p_type != PT_LOAD) continue;
        if (segment.p_memsz < segment.p_filesz) return damaged("one is larger in the file than in memory");
        if (segment.p_vaddr > kMaxMemory || segment.p_memsz > kMaxMemory)
            return damaged(fmt::format("one reaches beyond {} MiB of memory", kMaxMemory >> 20));
        if (segment.p_vaddr % kPage != segment.p_offset % kPage) return damaged("one is not aligned to its place in the file");
        if (any && segment.p_vaddr / kPage * kPage < free_from) return damaged("two share a page, or are not in order");
        free_from = (segment.p_vaddr + segment.p_memsz + kPage - 1) / kPage * kPage;
        any = true;
    }
    for (const auto type : {PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO}) {
        if (std::ranges::count(segments_, static_cast<std::uint32_t>(type), &Elf64_Phdr::p_type) > 1)
            return damaged("there are two of a kind of which one is allowed");
    }
    return any ? Read<void>{} : damaged("none is loaded");
}

const Elf64_Phdr* ElfImage::segment(std::uint32_t type) const {
    const auto found = std::ranges::find(segments_, type, &Elf64_Phdr::p_type);
    return found == segments_.end() ? nullptr : &*found;
}

std::string_view ElfImage::name_of(const Elf64_Shdr& section) const {
    const auto& names = sections_[section_names_];
    if (section.sh_name >= names.sh_size) return {};
    return text_at(names.sh_offset + section.sh_name, names.sh_size - section.sh_name);
}

std::optional<std::uint64_t> ElfImage::offset_of(std::uint64_t address, std::uint64_t size) const {
    for (const auto& segment : segments_) {
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
        const auto inside = address - segment.p_vaddr;
        if (inside <= segment.p_filesz && size <= segment.p_filesz - inside) return segment.p_offset + inside;
    }
    return std::nullopt;
}

std::string_view ElfImage::text_at(std::uint64_t offset, std::uint64_t most) const {
    if (offset >= bytes_.size()) return {};
    const auto length = std::min<std::uint64_t>(most, bytes_.size() - offset);
    const std::string_view all{reinterpret_cast<const char*>(bytes_.data()) + offset, length};
    return all.substr(0, all.find('\0'));
}

std::span<const std::byte> ElfImage::bytes_at(std::uint64_t offset, std::uint64_t size) const {
    return holds(offset, size) ? bytes_.subspan(offset, size) : std::span<const std::byte>{};
}

}  // namespace varde::plugins
