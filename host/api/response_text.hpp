#pragma once
#include "api/message.hpp"

#include <string>
#include <string_view>

namespace varde::api {

/// What the connection adds to a response.
struct Framing {
    std::string_view date;
    bool keep_alive = true;
    bool old_client = false;  ///< HTTP/1.0: keep-alive must be said
};

/// Appends the status line and header lines up to, without, the empty line that ends them.
void append_head(std::string& out, const Response& response, const Framing& framing);

}  // namespace varde::api
