#include "app/progress.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace varde::app {

Progress::Progress(std::string what, std::int64_t total)
    : what_{std::move(what)}, total_{total}, terminal_{::isatty(STDERR_FILENO) == 1} {}

void Progress::show(std::int64_t count) {
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds{100};
    if (total_ <= 0) {
        fmt::print(stderr, "\r{} {}", count, what_);
    } else {
        constexpr int kWidth = 40;
        const auto filled = static_cast<int>(count * kWidth / total_);
        fmt::print(stderr, "\r[{:#<{}}{:<{}}] {}/{} {}", "", filled, "", kWidth - filled, count, total_, what_);
    }
    std::fflush(stderr);
}

void Progress::done() {
    if (terminal_) fmt::print(stderr, "\r\033[K");
}

}  // namespace varde::app
