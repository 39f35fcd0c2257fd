#include "worker/rule_log.hpp"

#include <unistd.h>
#include <algorithm>
#include <cstring>

#include <varde/rule.h>

namespace varde::worker {
namespace {

std::atomic<std::uint64_t>* counter = nullptr;

}  // namespace

void count_log_bytes(wire::ControlHeader& header) { counter = &header.log_bytes; }

void write_log_line(std::int32_t level, const char* text, std::uint32_t length) noexcept {
    char line[1024];
    const char* name = level <= VARDE_LOG_DEBUG ? "debug: " : level == VARDE_LOG_INFO ? "info: " : "warning: ";
    std::size_t size = std::strlen(name);
    std::memcpy(line, name, size);
    const std::size_t count = text == nullptr ? 0 : std::min<std::size_t>(length, sizeof line - size - 1);
    for (std::size_t i = 0; i < count; ++i) line[size++] = static_cast<unsigned char>(text[i]) < 0x20 ? ' ' : text[i];
    line[size++] = '\n';
    if (counter != nullptr) counter->fetch_add(size, std::memory_order_relaxed);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, size);
}

}  // namespace varde::worker
