#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace varde::bench {

struct Load {
    std::uint16_t port = 0;
    int connections = 64;
    std::chrono::milliseconds duration{2000};
    /// Writes the next request into `out`, which holds the one before it.
    std::function<void(std::string& out)> next_request;
};

struct LoadResult {
    std::int64_t answers = 0;  ///< with status 200
    std::int64_t failures = 0;
    double seconds = 0;
    double cpu_seconds = 0;  ///< of the whole process, client and server
    double p50_us = 0;
    double p99_us = 0;
    [[nodiscard]] double rate() const { return static_cast<double>(answers) / seconds; }
};

/// Keeps one request in progress on each connection, with one thread and epoll.
[[nodiscard]] LoadResult run_load(const Load& load);

}  // namespace varde::bench
