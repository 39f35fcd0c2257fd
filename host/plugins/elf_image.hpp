#pragma once
#include "plugins/rejection.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>

namespace varde::plugins {

/// The bytes of an ELF file, read only through bounds checks: the file is hostile input. Holds a view; the bytes must outlive it and
/// must not change meanwhile.
class ElfImage {
  public:
    /// Checks the header and reads the tables of segments and sections; everything they point to lies inside the file. load_failed:
    /// not a shared library for this machine, damaged, or cut off.
    [[nodiscard]] static Read<ElfImage> open(std::span<const std::byte> bytes);

    [[nodiscard]] const std::vector<Elf64_Phdr>& segments() const { return segments_; }
    [[nodiscard]] const std::vector<Elf64_Shdr>& sections() const { return sections_; }
    [[nodiscard]] std::string_view name_of(const Elf64_Shdr& section) const;
    /// The one segment of a type; nullptr if there is none.
    [[nodiscard]] const Elf64_Phdr* segment(std::uint32_t type) const;

    /// Where the loader finds the bytes of an address: all of them come from one place of the file, or nullopt.
    [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address, std::uint64_t size) const;

    template <class T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof(T));
        return value;
    }
    /// The text up to its NUL; without one within `most` bytes and the file, the first `most` bytes.
    [[nodiscard]] std::string_view text_at(std::uint64_t offset, std::uint64_t most) const;
    /// Empty if it does not lie inside the file.
    [[nodiscard]] std::span<const std::byte> bytes_at(std::uint64_t offset, std::uint64_t size) const;

  private:
    explicit ElfImage(std::span<const std::byte> bytes) : bytes_{bytes} {}
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }
    Read<void> read_segments(const Elf64_Ehdr& header);
    Read<void> read_sections(const Elf64_Ehdr& header);
    [[nodiscard]] Read<void> check_layout() const;

    std::span<const std::byte> bytes_;
    std::vector<Elf64_Phdr> segments_;
    std::vector<Elf64_Shdr> sections_;
    std::uint32_t section_names_ = 0;
};

/// Of a text of the file what may stand in a message: printable ASCII, cut.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace varde::plugins
