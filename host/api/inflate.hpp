#pragma once
#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace varde::api {

/// The text of a gzip body. Errc::invalid_argument: it is not gzip, or broken off; Errc::too_large: more than `limit` bytes of text, and
/// not a byte more was unpacked.
[[nodiscard]] core::Result<std::string> gunzip(std::string_view body, std::uint64_t limit);

}  // namespace varde::api
