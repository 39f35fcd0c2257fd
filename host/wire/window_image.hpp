#pragma once
#include <cstdint>

#include <varde/rule.h>

namespace varde::wire {

inline constexpr std::uint32_t image_magic = 0x49445256;  // "VRDI"
inline constexpr std::uint64_t image_alignment = 64;

/// A window in the batch memory: the columns of one scope's events, written by the host and read-only to every worker. All offsets
/// are in bytes from the start of this header; each array is aligned for its element. No pointers: every worker maps the memory
/// somewhere else. Symbol 0 is "no text".
struct ImageHeader {
    std::uint32_t magic;
    std::uint32_t n_rows;  ///< in (time, sequence) order, then the rows of VARDE_READ_LATEST that lie outside of that range
    std::uint32_t n_keys;
    std::uint32_t n_symbols;
    std::uint32_t n_zones;
    std::uint32_t padding;
    std::uint64_t size;  ///< of the whole image
    std::uint64_t time;
    std::uint64_t sequence;
    std::uint64_t category;
    std::uint64_t room;
    std::uint64_t stream;
    std::uint64_t payload_kind;
    std::uint64_t keys;     ///< ImageKey[n_keys]
    std::uint64_t zones;    ///< ImageZone[n_zones]
    std::uint64_t symbols;  ///< varde_text[n_symbols] into text
    std::uint64_t text;
    std::uint64_t event_id;  ///< varde_text[n_rows] into row_text, or 0
    std::uint64_t payload;   ///< varde_text[n_rows] into row_text, or 0
    std::uint64_t row_text;
};

struct ImageKey {
    std::uint64_t kind;   ///< u8[n_rows]
    std::uint64_t value;  ///< i64[n_rows]
};

struct ImageZone {
    std::uint64_t transitions;  ///< varde_transition[n_transitions]
    std::uint32_t n_transitions;
    std::uint32_t padding;
};

}  // namespace varde::wire
