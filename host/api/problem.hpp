#pragma once
#include "api/message.hpp"
#include "core/error.hpp"

#include <string_view>

namespace varde::api {

/// The standard words for a status: "Not Found".
[[nodiscard]] std::string_view reason_of(int status);

/// An application/problem+json answer (RFC 9457). `field`: the input at fault, if it is one.
[[nodiscard]] Response problem(int status, std::string_view detail, std::string_view field = {});

/// The answer for an Error. Those that are nobody's business outside are a bare 500: the caller logs them.
[[nodiscard]] Response problem_of(const core::Error& error);

[[nodiscard]] Response json(std::string body, int status = 200);

}  // namespace varde::api
