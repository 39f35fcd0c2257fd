#include "evaluate/payload_access.hpp"

#include <algorithm>

namespace varde::evaluate {

void PayloadAccess::add(const wire::Declarations& declarations) {
    keys.insert(keys.end(), declarations.keys.begin(), declarations.keys.end());
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    wants |= declarations.wants;
}

}  // namespace varde::evaluate
