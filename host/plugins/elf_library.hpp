#pragma once
#include "plugins/rejection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace varde::plugins {

/// What a shared library wants of the machine and its loader. Everything is read from the program headers and the dynamic section, which
/// is what the loader reads; what sections claim does not count.
struct ElfLibrary {
    std::string build_id;             ///< lower-case hex of 1..64 bytes; empty if there is none
    std::vector<std::string> needed;  ///< sonames, in file order, all of them allowed
    bool binds_now = false;           ///< every symbol is found at load: a missing one is no surprise of the first alarm
    bool relro = false;               ///< its tables of addresses are read-only after load
};

/// Reads an image without executing any of it, and refuses what no rule needs and an attacker likes.
///
/// untrusted_file: a segment that is writable and executable, an executable stack, text relocations, RPATH or RUNPATH, filters and
/// auditors, a needed library other than libc, libm, libstdc++, libgcc_s, the loader, and `more_libraries` (sonames). load_failed: not a
/// shared library for this machine, damaged or cut off.
[[nodiscard]] Read<ElfLibrary> read_library(std::span<const std::byte> bytes, std::span<const std::string> more_libraries = {});

/// A symbol that other libraries of the process could be bound to.
struct ExportedSymbol {
    std::string name;
    bool weak = false;  ///< also GNU unique: what compilers leave of templates and inline functions
};
/// What the dynamic symbol table defines, in table order, at most 10,000. nullopt: the table cannot be read.
[[nodiscard]] std::optional<std::vector<ExportedSymbol>> exported_symbols(std::span<const std::byte> bytes);

/// How many functions there are, and how many begin by keeping a frame pointer: without those the stack of a crash has two frames only.
/// An estimate from the unwind table and the code's bytes.
struct FramePointers {
    std::uint32_t functions = 0;
    std::uint32_t kept = 0;
};
/// nullopt: there is no unwind table to count functions by.
[[nodiscard]] std::optional<FramePointers> frame_pointers(std::span<const std::byte> bytes);

}  // namespace varde::plugins
