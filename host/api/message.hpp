#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a route sees of HTTP. No library type appears here.
namespace varde::api {

enum class Method { get, post, patch, put, delete_, options, other };
[[nodiscard]] std::string_view name_of(Method method);  ///< "GET" ...

/// One request. HEAD arrives as `get`; the session leaves the body of the answer out. Views and references to a request are valid until
/// its Reply was called.
struct Request {
    Method method = Method::get;
    std::string_view path;                                   ///< decoded, without a leading "/v1": "/deviations/17"
    bool versioned = false;                                  ///< the path had the "/v1"
    std::int64_t id = 0;                                     ///< the number in the path, for routes with {id}
    std::string_view name;                                   ///< the text in the path, for routes with {name}
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view api_key;          ///< X-API-Key
    std::string_view authorization;    ///< Authorization
    std::string_view if_match;         ///< If-Match
    std::string_view idempotency_key;  ///< Idempotency-Key
    std::string_view body;             ///< as received, at most http.max_body_bytes
    std::string_view remote;           ///< the peer's address, without port

    /// The first value of a query key.
    [[nodiscard]] const std::string* find(std::string_view key) const;
};

struct Response {
    int status = 200;
    std::string_view content_type = "application/json";  ///< a literal
    std::string body;
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< more than the usual ones; names are literals
};

/// Answers the request. Called exactly once, on the loop thread.
using Reply = std::function<void(Response)>;

}  // namespace varde::api
