#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace varde::api {

/// The request target "/v1/events?limit=5" taken apart. Keeps its buffers between requests.
struct Target {
    std::string path;  ///< decoded, without "/v1"; "/" at least
    bool versioned = false;
    std::vector<std::pair<std::string, std::string>> query;

    /// False if the target is not an absolute path or has a broken %-escape or a NUL.
    [[nodiscard]] bool parse(std::string_view text);
};

}  // namespace varde::api
