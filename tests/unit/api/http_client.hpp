#pragma once
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace varde::testing {

struct HttpAnswer {
    int status = 0;                              ///< 0: the connection ended without an answer
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

/// A blocking HTTP client that can also be rude: it sends exactly what it is told.
class HttpClient {
  public:
    explicit HttpClient(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        const timeval patience{20, 0};  // a hanging server fails the test instead of hanging it
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    ~HttpClient() { ::close(fd_); }
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    void send(std::string_view text) const {
        while (!text.empty()) {
            const auto count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) return;  // the server closed; what it said is still to be read
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    HttpAnswer request(std::string_view method, std::string_view target, std::string_view body = {},
                       std::string_view headers = {}) {
        std::string text{method};
        text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n").append(headers);
        if (!body.empty()) text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
        text.append("\r\n").append(body);
        send(text);
        return receive(method != "HEAD");
    }
    HttpAnswer get(std::string_view target, std::string_view headers = {}) { return request("GET", target, {}, headers); }
    HttpAnswer post(std::string_view target, std::string_view body, std::string_view headers = {}) {
        return request("POST", target, body, headers);
    }
    HttpAnswer patch(std::string_view target, std::string_view body, std::string_view headers = {}) {
        return request("PATCH", target, body, headers);
    }

    HttpAnswer receive(bool with_body = true) {
        HttpAnswer answer;
        const auto end = read_until("\r\n\r\n");
        if (end == std::string::npos) return answer;
        auto head = std::string_view{buffered_}.substr(0, end);
        answer.status = std::stoi(std::string{head.substr(9, 3)});
        for (auto line_end = head.find("\r\n"); line_end != std::string_view::npos; line_end = head.find("\r\n")) {
            head.remove_prefix(line_end + 2);
            const auto line = head.substr(0, head.find("\r\n"));
            const auto colon = line.find(": ");
            std::string name{line.substr(0, colon)};
            for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            answer.headers[name] = line.substr(colon + 2);
        }
        buffered_.erase(0, end + 4);
        const auto size =
            with_body && answer.headers.contains("content-length") ? std::stoul(answer.headers["content-length"]) : 0;
        while (buffered_.size() < size && read_more()) {
        }
        answer.body = buffered_.substr(0, size);
        buffered_.erase(0, size);
        return answer;
    }

    /// Waits until the server closes; false if it sends something instead.
    bool closed_by_server() {
        if (!buffered_.empty()) return false;
        return !read_more() && !timed_out_;
    }

  private:
    std::size_t read_until(std::string_view mark) {
        for (;;) {
            const auto found = buffered_.find(mark);
            if (found != std::string::npos) return found;
            if (!read_more()) return std::string::npos;
        }
    }
    bool read_more() {
        char piece[65536];
        const auto count = ::recv(fd_, piece, sizeof piece, 0);
        timed_out_ = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (count <= 0) return false;
        buffered_.append(piece, static_cast<std::size_t>(count));
        return true;
    }

    int fd_;
    std::string buffered_;
    bool timed_out_ = false;
};

}  // namespace varde::testing
