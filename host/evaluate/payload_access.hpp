#pragma once
#include "wire/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace varde::evaluate {

/// What a worker may know of an event's payload: the keys its rules declared, and VARDE_WANT_*. Sorted, without repeats.
struct PayloadAccess {
    std::vector<std::string> keys;
    std::uint32_t wants = 0;
    /// Everything that either may know.
    void add(const wire::Declarations& declarations);
    friend auto operator<=>(const PayloadAccess&, const PayloadAccess&) = default;
};

}  // namespace varde::evaluate
