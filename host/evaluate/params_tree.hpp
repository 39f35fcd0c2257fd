#pragma once
#include "core/error.hpp"
#include "wire/message.hpp"

#include <string_view>

namespace varde::evaluate {

/// JSON text as the node tree of varde/rule.h, in document order. Errc::invalid_argument: not JSON, or not an object.
[[nodiscard]] core::Result<wire::ParamsTree> params_tree(std::string_view json);

}  // namespace varde::evaluate
