#include "plugins/elf_image.hpp"
#include "plugins/elf_library.hpp"

#include <algorithm>
#include <array>

namespace varde::plugins {
namespace {

constexpr std::size_t kMaxSymbols = 10'000;

/// What the linker says of the symbol table in the section headers. Only for advice: a file that lies here deceives its author.
const Elf64_Shdr* section_of(const ElfImage& image, std::uint32_t type) {
    const auto found = std::ranges::find(image.sections(), type, &Elf64_Shdr::sh_type);
    return found == image.sections().end() ? nullptr : &*found;
}

bool is_exported(const Elf64_Sym& symbol) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    return symbol.st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/// Functions of the unwind table, if it is laid out as every linker of today does it.
std::optional<std::uint32_t> count_functions(const ElfImage& image) {
    const auto* segment = image.segment(PT_GNU_EH_FRAME);
    if (segment == nullptr) return std::nullopt;
    // Version 1; address as 4 signed bytes from here; count as 4 unsigned bytes; table of 4 signed bytes each.
    constexpr std::array<std::uint8_t, 4> usual{1, 0x1b, 0x03, 0x3b};
    if (image.at<std::array<std::uint8_t, 4>>(segment->p_offset) != usual) return std::nullopt;
    return image.at<std::uint32_t>(segment->p_offset + 8);
}

/// The instruction that makes a frame pointer at the beginning of a function.
std::uint32_t count_prologues(std::span<const std::byte> code) {
#if defined(__x86_64__)
    constexpr std::array prologue{std::byte{0x55}, std::byte{0x48}, std::byte{0x89},
                                  std::byte{0xe5}};  // push %rbp; mov %rsp,%rbp
#else
    constexpr std::array prologue{std::byte{0xfd}, std::byte{0x03}, std::byte{0x00}, std::byte{0x91}};  // mov x29, sp
#endif
    std::uint32_t found = 0;
    for (auto at = code.begin(); (at = std::search(at, code.end(), prologue.begin(), prologue.end())) != code.end(); ++at)
        ++found;
    return found;
}

}  // namespace

std::optional<std::vector<ExportedSymbol>> exported_symbols(std::span<const std::byte> bytes) {
    const auto image = ElfImage::open(bytes);
    if (!image) return std::nullopt;
    const auto* table = section_of(*image, SHT_DYNSYM);
    if (table == nullptr || table->sh_entsize != sizeof(Elf64_Sym) || table->sh_link >= image->sections().size())
        return std::nullopt;
    const auto& names = image->sections()[table->sh_link];
    std::vector<ExportedSymbol> exported;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size && exported.size() < kMaxSymbols;
         at += sizeof(Elf64_Sym)) {
        const auto symbol = image->at<Elf64_Sym>(table->sh_offset + at);
        if (!symbol) return std::nullopt;
        if (!is_exported(*symbol)) continue;
        if (symbol->st_name >= names.sh_size) return std::nullopt;
        const auto name = image->text_at(names.sh_offset + symbol->st_name, names.sh_size - symbol->st_name);
        exported.push_back({printable(name), ELF64_ST_BIND(symbol->st_info) != STB_GLOBAL});
    }
    return exported;
}

std::optional<FramePointers> frame_pointers(std::span<const std::byte> bytes) {
    const auto image = ElfImage::open(bytes);
    if (!image) return std::nullopt;
    const auto functions = count_functions(*image);
    if (!functions) return std::nullopt;
    FramePointers counted{*functions, 0};
    for (const auto& segment : image->segments()) {
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0)
            counted.kept += count_prologues(image->bytes_at(segment.p_offset, segment.p_filesz));
    }
    return counted;
}

}  // namespace varde::plugins
