#pragma once
#include "core/error.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

struct sockaddr;

/// One HTTP call, for jobs. The only user of libcurl.
///
/// Only http and https, also after redirects; certificates are always verified; TLS 1.2 at least. No proxy is used, whatever the
/// environment says, because what a name resolves to is checked before anything connects: link-local addresses (169.254.0.0/16,
/// fe80::/10) and fd00:ec2::254 are refused, since that is where clouds hand credentials to whoever asks. Everything else that this
/// machine reaches is reachable, its own ports and the home's network included.
namespace varde::jobs {

struct HttpRequest {
    std::string method = "GET";  ///< A-Z
    std::string url;             ///< as check_url() wants it
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::string> body;  ///< JSON
    std::chrono::milliseconds timeout{30'000};
    bool follow_redirects = false;                  ///< at most 5; never from https to http
    std::size_t most_bytes = std::size_t{1} << 20;  ///< an answer that is longer is a failure
};

struct HttpReply {
    int status = 0;
    std::string body;
};

/// There was no complete answer. `text` names the server, never a path, query, header or body.
struct HttpFailure {
    enum class Why { connection, timeout, stopped, too_large, refused };
    Why why = Why::connection;
    std::string text;
    [[nodiscard]] bool may_pass() const { return why != Why::too_large && why != Why::refused; }  ///< trying again may help
};

/// Blocks until the answer is complete, or the timeout is over, or shortly after stop is requested. Thread-safe.
[[nodiscard]] tl::expected<HttpReply, HttpFailure> http_call(const HttpRequest& request, const std::stop_token& stop);

/// http or https, with a host, without user and password, at most 2,000 characters. Errc::invalid_argument says what is wrong with it and
/// does not repeat it.
[[nodiscard]] core::Result<void> check_url(const std::string& url);
/// "https://example.org:8443": what may stand in messages. Paths and queries may hold secrets.
[[nodiscard]] std::string server_of(const std::string& url);
/// "https://example.org answered 500", and whether another attempt may help: after 408, 429 and 5xx.
[[nodiscard]] std::string status_error(const std::string& url, int status);
[[nodiscard]] bool status_may_pass(int status);
/// An address that http_call() does not connect to.
[[nodiscard]] bool is_refused(const sockaddr& address);

}  // namespace varde::jobs
