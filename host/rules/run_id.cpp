#include "rules/run_id.hpp"

#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace varde::rules {

std::string new_run_id() {
    std::random_device device;  // 32 bits at a time
    const std::uint32_t a = device(), b = device(), c = device(), d = device();
    // Version 4 and variant 10 of RFC 4122 stand where random bits would be.
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", a, b >> 16, b & 0xFFF, (c >> 16 & 0x3FFF) | 0x8000,
                       c & 0xFFFF, d);
}

}  // namespace varde::rules
