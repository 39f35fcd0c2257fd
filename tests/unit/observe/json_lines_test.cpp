#include "observe/json_lines.hpp"
#include "time/utc_text.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

using namespace varde;
using ports::LogLevel;

namespace {

/// A stream in memory to log to.
class Memory {
  public:
    Memory() : stream_{open_memstream(&data_, &size_)} { REQUIRE(stream_ != nullptr); }
    ~Memory() {
        std::fclose(stream_);
        std::free(data_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    [[nodiscard]] std::FILE* stream() const { return stream_; }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::istringstream in{std::string{data_, size_}};
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }

  private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::FILE* stream_;
};

const time::ManualClock kClock{time::parse_utc("2026-01-15T12:00:00.250000Z").value()};

}  // namespace

TEST_CASE("every event is one line, written at once, with the clock's time") {
    Memory memory;
    observe::JsonLines log{kClock, LogLevel::info, memory.stream()};
    log.log(LogLevel::info, "api", "request", "served {} %v", {{"n", std::int64_t{1}}});
    REQUIRE(memory.lines().size() == 1);
    CHECK(
        memory.lines().front() ==
        R"({"ts":"2026-01-15T12:00:00.250000Z","level":"INFO","component":"api","event":"request","msg":"served {} %v","n":1})");
}

TEST_CASE("events below the level are dropped") {
    Memory memory;
    observe::JsonLines log{kClock, LogLevel::warning, memory.stream()};
    CHECK_FALSE(log.wants(LogLevel::info));
    CHECK(log.wants(LogLevel::warning));
    log.log(LogLevel::debug, "c", "e", "m");
    log.log(LogLevel::info, "c", "e", "m");
    log.log(LogLevel::warning, "c", "e", "kept");
    log.log(LogLevel::error, "c", "e", "kept");
    CHECK(memory.lines().size() == 2);
}

TEST_CASE("lines of several threads do not mix") {
    Memory memory;
    {
        observe::JsonLines log{kClock, LogLevel::info, memory.stream()};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&log, t] {
                for (int i = 0; i < 200; ++i)
                    log.log(LogLevel::info, "c", "e", fmt::format("{}-{} {}", t, i, std::string(300, 'x')));
            });
        }
    }
    std::set<std::string> messages;
    for (const auto& line : memory.lines()) messages.insert(nlohmann::json::parse(line).at("msg").get<std::string>());
    CHECK(messages.size() == 800);
}

TEST_CASE("a stream that cannot be written to does not disturb the caller") {
    std::FILE* full = std::fopen("/dev/full", "w");
    REQUIRE(full != nullptr);
    {
        observe::JsonLines log{kClock, LogLevel::info, full};
        CHECK_NOTHROW(log.log(LogLevel::error, "c", "e", "m"));
    }
    std::fclose(full);
}

TEST_CASE("level names are those of host.yaml") {
    CHECK(observe::log_level_from("debug") == LogLevel::debug);
    CHECK(observe::log_level_from("info") == LogLevel::info);
    CHECK(observe::log_level_from("warning") == LogLevel::warning);
    CHECK(observe::log_level_from("error") == LogLevel::error);
    CHECK_FALSE(observe::log_level_from("INFO").has_value());
}
