#include "api/response_text.hpp"

#include "api/problem.hpp"

#include <array>
#include <charconv>

namespace varde::api {
namespace {

constexpr int kNoContent = 204;

void append_number(std::string& out, std::size_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) out += c == '\r' || c == '\n' ? ' ' : c;  // a value never starts another line
    out += "\r\n";
}

}  // namespace

void append_head(std::string& out, const Response& response, const Framing& framing) {
    if (response.status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
    } else {
        out += "HTTP/1.1 ";
        append_number(out, static_cast<std::size_t>(response.status));
        out.append(" ").append(reason_of(response.status)).append("\r\n");
    }
    out.append("Date: ").append(framing.date).append("\r\n");
    if (response.status != kNoContent) {  // which has no body, and may not say how long it is
        out.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
        append_number(out, response.body.size());
        out += "\r\n";
    }
    for (const auto& [name, value] : response.headers) append_line(out, name, value);
    if (!framing.keep_alive) {
        out += "Connection: close\r\n";
    } else if (framing.old_client) {
        out += "Connection: keep-alive\r\n";
    }
}

}  // namespace varde::api
