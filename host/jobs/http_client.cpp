#include "jobs/http_client.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace varde::jobs {
namespace {

using core::Errc;
using Why = HttpFailure::Why;

constexpr std::size_t kMostHeaderBytes = 65'536;
constexpr std::size_t kLongestUrl = 2'000;
constexpr long kMostRedirects = 5;

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
// curl_easy_init() initialises the library when it is first called; since 7.84 that is thread-safe.
using Easy = std::unique_ptr<CURL, Freed<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Freed<curl_multi_cleanup>>;
using Url = std::unique_ptr<CURLU, Freed<curl_url_cleanup>>;
using List = std::unique_ptr<curl_slist, Freed<curl_slist_free_all>>;

/// What curl's callbacks write to.
struct Transfer {
    std::string body;
    std::size_t most = 0;
    std::size_t header_bytes = 0;
    bool too_large = false;
    bool refused = false;
    std::array<char, CURL_ERROR_SIZE> error{};
};

std::size_t take_body(char* data, std::size_t, std::size_t count, void* to) {
    auto& transfer = *static_cast<Transfer*>(to);
    transfer.too_large = count > transfer.most - transfer.body.size();
    if (transfer.too_large) return 0;  // ends the transfer
    transfer.body.append(data, count);
    return count;
}

std::size_t take_header(char*, std::size_t, std::size_t count, void* to) {
    auto& transfer = *static_cast<Transfer*>(to);
    transfer.header_bytes += count;
    transfer.too_large = transfer.header_bytes > kMostHeaderBytes;
    return transfer.too_large ? 0 : count;
}

curl_socket_t open_socket(void* to, curlsocktype, curl_sockaddr* address) {
    if (is_refused(address->addr)) {
        static_cast<Transfer*>(to)->refused = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

List header_list(const HttpRequest& request) {
    List list;
    const auto add = [&](const std::string& line) {
        auto* const longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        (void)list.release();
        list.reset(longer);
    };
    // curl takes "Name:" as the wish to send none, and "Name;" as an empty one.
    for (const auto& [name, value] : request.headers) add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    if (request.body) add("Content-Type: application/json");
    add("Expect:");  // or curl waits a second for "100 Continue" from servers that do not say it
    return list;
}

void set_method(CURL* easy, const HttpRequest& request) {
    if (request.method == "GET") return;
    if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body ? request.body->data() : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body ? request.body->size() : 0));
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_up(CURL* easy, const HttpRequest& request, const curl_slist* headers, Transfer& transfer) {
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, server_of(request.url).starts_with("https:") ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMostRedirects);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "varde");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer does not keep a stopped call
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error.data());
    set_method(easy, request);
}

/// nullopt: it was stopped.
std::optional<CURLcode> perform(CURLM* multi, const std::stop_token& stop) {
    const std::stop_callback wake{stop, [multi] { curl_multi_wakeup(multi); }};
    for (int running = 1; running > 0;) {
        if (stop.stop_requested()) return std::nullopt;
        if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
        if (running > 0) curl_multi_poll(multi, nullptr, 0, 60'000, nullptr);  // shorter if curl has a timeout that ends before
    }
    int left = 0;
    const auto* const message = curl_multi_info_read(multi, &left);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

HttpFailure failure_of(CURLcode code, const HttpRequest& request, const Transfer& transfer) {
    const auto server = server_of(request.url);
    if (transfer.too_large) {
        return {Why::too_large, fmt::format("{} answered more than {} bytes", server, request.most_bytes)};
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return {Why::timeout, fmt::format("{} did not answer within {} ms", server, request.timeout.count())};
    }
    if (transfer.refused) return {Why::refused, server + ": its address is link-local, which jobs do not connect to"};
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:  // curl's own words say which certificate and why, and quote nothing of the call
        case CURLE_SSL_CACERT_BADFILE: return {Why::refused, fmt::format("{}: {}", server, transfer.error.data())};
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_LOGIN_DENIED:
        case CURLE_TOO_MANY_REDIRECTS: return {Why::refused, fmt::format("{}: {}", server, curl_easy_strerror(code))};
        default: return {Why::connection, fmt::format("{}: {}", server, curl_easy_strerror(code))};
    }
}

Url parsed(const std::string& url) {
    Url parts{curl_url()};
    if (!parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) return nullptr;
    return parts;
}

std::string part_of(const Url& url, CURLUPart what) {
    char* text = nullptr;
    if (!url || curl_url_get(url.get(), what, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, Freed<curl_free>> owned{text};
    return text;
}

}  // namespace

bool is_refused(const sockaddr& address) {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    constexpr std::array<std::uint8_t, 16> kAmazon{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
    if (address.sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &address, sizeof four);
        return ntohl(four.sin_addr.s_addr) >> 16 == 0xa9fe;
    }
    if (address.sa_family != AF_INET6) return false;
    // The caller's storage is that of the family that it names.
    const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
    const bool mapped = std::equal(kMapped.begin(), kMapped.end(), bytes) && bytes[12] == 169 && bytes[13] == 254;
    const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    return mapped || link_local || std::equal(kAmazon.begin(), kAmazon.end(), bytes);
}

std::string server_of(const std::string& url) {
    const auto parts = parsed(url);
    const auto port = part_of(parts, CURLUPART_PORT);
    return fmt::format("{}://{}{}{}", part_of(parts, CURLUPART_SCHEME), part_of(parts, CURLUPART_HOST), port.empty() ? "" : ":",
                       port);
}

std::string status_error(const std::string& url, int status) {
    const bool redirect = status >= 300 && status <= 399 && status != 304;
    return fmt::format("{} answered {}{}", server_of(url), status, redirect ? ", a redirect that was not followed" : "");
}

bool status_may_pass(int status) { return status >= 500 || status == 429 || status == 408; }

core::Result<void> check_url(const std::string& url) {
    if (url.size() > kLongestUrl || std::ranges::any_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
        return core::fail(Errc::invalid_argument,
                          fmt::format("must have at most {} characters and no spaces (%20 is one)", kLongestUrl));
    }
    const auto parts = parsed(url);
    const auto scheme = part_of(parts, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        return core::fail(Errc::invalid_argument, "must begin with http:// or https:// and name a host");
    }
    if (part_of(parts, CURLUPART_HOST).empty()) return core::fail(Errc::invalid_argument, "names no host");
    if (!part_of(parts, CURLUPART_USER).empty() || !part_of(parts, CURLUPART_PASSWORD).empty()) {
        return core::fail(Errc::invalid_argument, "must not hold a user or password; send a header whose value is env:NAME");
    }
    return {};
}

tl::expected<HttpReply, HttpFailure> http_call(const HttpRequest& request, const std::stop_token& stop) {
    Transfer transfer;
    transfer.most = request.most_bytes;
    const auto headers = header_list(request);
    const Multi multi{curl_multi_init()};
    const Easy easy{curl_easy_init()};
    if (!easy || !multi) throw std::bad_alloc{};
    set_up(easy.get(), request, headers.get(), transfer);
    curl_multi_add_handle(multi.get(), easy.get());
    const auto code = perform(multi.get(), stop);
    HttpReply reply;
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi.get(), easy.get());
    if (!code) return tl::unexpected{HttpFailure{Why::stopped, server_of(request.url) + ": stopped before it had answered"}};
    if (*code != CURLE_OK) return tl::unexpected{failure_of(*code, request, transfer)};
    reply.status = static_cast<int>(status);
    reply.body = std::move(transfer.body);
    return reply;
}

}  // namespace varde::jobs
