#include "store/event_key.hpp"

#include <cstring>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varde::store {
namespace {

void append_part(std::string& out, std::string_view part) {
    // With lengths, ("a", "bc") and ("ab", "c") differ.
    const auto length = static_cast<std::uint32_t>(part.size());
    const char bytes[] = {static_cast<char>(length), static_cast<char>(length >> 8), static_cast<char>(length >> 16),
                          static_cast<char>(length >> 24)};
    out.append(bytes, sizeof bytes);
    out.append(part);
}

}  // namespace

std::int64_t key_hash_of(const EventIdentity& identity, std::int64_t seed) {
    thread_local std::string bytes;
    bytes.clear();
    for (const std::string_view part :
         {identity.org_id, identity.home_id, identity.subject_id, identity.stream_id, identity.event_id}) {
        append_part(bytes, part);
    }
    return static_cast<std::int64_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), static_cast<std::uint64_t>(seed)));
}

}  // namespace varde::store
