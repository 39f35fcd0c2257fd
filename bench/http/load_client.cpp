#include "http/load_client.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace varde::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

struct Client {
    int fd = -1;
    std::string request;
    std::size_t sent = 0;
    std::string answer;
    Clock::time_point started;

    void connect(std::uint16_t port) {
        fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
        const int one = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    /// False: the socket's buffer is full.
    bool send_rest() {
        while (sent < request.size()) {
            const auto count = ::send(fd, request.data() + sent, request.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count < 0) return false;
            sent += static_cast<std::size_t>(count);
        }
        return true;
    }
    /// True: a whole answer is there.
    bool receive() {
        char piece[65536];
        const auto count = ::recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (count == 0) die("the server closed a connection");
        if (count < 0) return false;
        answer.append(piece, static_cast<std::size_t>(count));
        const auto end = answer.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        constexpr std::string_view kLength = "Content-Length: ";
        const auto length = answer.find(kLength);
        std::size_t size = 0;
        if (length < end) std::from_chars(answer.data() + length + kLength.size(), answer.data() + end, size);
        return answer.size() >= end + 4 + size;
    }
};

}  // namespace

LoadResult run_load(const Load& load) {
    const int poll = ::epoll_create1(0);
    std::vector<Client> clients(static_cast<std::size_t>(load.connections));
    std::vector<float> latencies;
    latencies.reserve(1u << 20);
    const auto begin = [&](Client& client) {
        load.next_request(client.request);
        client.sent = 0;
        client.answer.clear();
        client.started = Clock::now();
        epoll_event event{};
        event.events = client.send_rest() ? EPOLLIN : EPOLLIN | EPOLLOUT;
        event.data.ptr = &client;
        ::epoll_ctl(poll, EPOLL_CTL_MOD, client.fd, &event);
    };
    for (auto& client : clients) {
        client.connect(load.port);
        epoll_event event{};
        event.data.ptr = &client;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, client.fd, &event);
    }
    LoadResult result;
    const double cpu_before = cpu_seconds();
    const auto start = Clock::now();
    const auto end = start + load.duration;
    for (auto& client : clients) begin(client);
    int in_progress = load.connections;
    std::vector<epoll_event> events(256);
    while (in_progress > 0) {
        const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 20'000);
        if (count <= 0) die("no answer for 20 s");
        for (int i = 0; i < count; ++i) {
            auto& client = *static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (client.sent < client.request.size()) client.send_rest();
            if ((events[static_cast<std::size_t>(i)].events & EPOLLIN) == 0 || !client.receive()) continue;
            const auto now = Clock::now();
            latencies.push_back(std::chrono::duration<float, std::micro>(now - client.started).count());
            ++(client.answer.starts_with("HTTP/1.1 200") ? result.answers : result.failures);
            if (now < end) {
                begin(client);
            } else {
                --in_progress;
            }
        }
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    result.cpu_seconds = cpu_seconds() - cpu_before;
    std::ranges::sort(latencies);
    if (!latencies.empty()) {
        result.p50_us = latencies[latencies.size() / 2];
        result.p99_us = latencies[latencies.size() * 99 / 100];
    }
    for (auto& client : clients) ::close(client.fd);
    ::close(poll);
    return result;
}

}  // namespace varde::bench
