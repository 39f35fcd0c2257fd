#include "time/tzdata.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace varde::time {

std::string tzdata_version() {
    constexpr std::string_view kStart = "# version ";
    constexpr std::size_t kLongest = 40;
    const char* const folder = std::getenv("TZDIR");  // where absl looks, too
    std::ifstream file{std::string{folder != nullptr ? folder : "/usr/share/zoneinfo"} + "/tzdata.zi"};
    std::string line;
    if (!std::getline(file, line) || !line.starts_with(kStart)) return {};
    auto version = line.substr(kStart.size(), kLongest);
    std::erase_if(version, [](char c) { return c <= ' ' || c > '~'; });
    return version;
}

}  // namespace varde::time
