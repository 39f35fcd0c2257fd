#include "worker/symboliser.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

namespace varde::worker {
namespace {

constexpr std::size_t max_name_bytes = 200;

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
    [[nodiscard]] std::string text_at(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest{reinterpret_cast<const char*>(bytes_.data()) + offset,
                                    std::min<std::uint64_t>(bytes_.size() - offset, 4096)};
        return std::string{rest.substr(0, rest.find('\0'))};
    }

  private:
    std::span<const std::byte> bytes_;
};

std::string readable(const std::string& name) {
    int status = 0;
    char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
    std::string result = status == 0 && text != nullptr ? text : name;
    std::free(text);
    if (result.size() > max_name_bytes) result.resize(max_name_bytes);
    return result;
}

/// Names from one symbol table, for the offsets that have none yet.
void name_from(const Image& image, const Elf64_Shdr& table, const Elf64_Shdr& strings, std::span<const std::uint64_t> offsets,
               std::vector<std::string>& names) {
    for (std::uint64_t at = table.sh_offset; at - table.sh_offset + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = image.at<Elf64_Sym>(at);
        if (!symbol) return;
        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_size == 0) continue;
        for (std::size_t i = 0; i < offsets.size(); ++i)
            if (names[i].empty() && offsets[i] >= symbol->st_value && offsets[i] - symbol->st_value < symbol->st_size)
                names[i] = readable(image.text_at(strings.sh_offset + symbol->st_name));
    }
}

}  // namespace

std::vector<std::string> function_names(std::span<const std::byte> bytes, std::span<const std::uint64_t> offsets) {
    std::vector<std::string> names(offsets.size());
    const Image image{bytes};
    const auto header = image.at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof(Elf64_Shdr)) return names;
    const auto section = [&](std::uint32_t i) {
        return image.at<Elf64_Shdr>(header->e_shoff + std::uint64_t{i} * sizeof(Elf64_Shdr));
    };
    // The full table first: a stripped file has only the other.
    for (const std::uint32_t kind : {SHT_SYMTAB, SHT_DYNSYM}) {
        for (std::uint32_t i = 0; i < header->e_shnum; ++i) {
            const auto table = section(i);
            if (!table || table->sh_type != kind || table->sh_link >= header->e_shnum) continue;
            if (const auto strings = section(table->sh_link)) name_from(image, *table, *strings, offsets, names);
        }
    }
    return names;
}

}  // namespace varde::worker
