#pragma once
#include "app/plugin_check/check.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace varde::app::plugin_check {

/// One check that was made.
struct Result {
    std::string name;
    std::string what;
    Answer answer;
    std::chrono::nanoseconds duration{};
};

struct Counts {
    int passed = 0;
    int warned = 0;
    int failed = 0;
    int skipped = 0;
};
[[nodiscard]] Counts count(std::span<const Result> results);

/// "pass  windows.empty        1 answered, ..."; without an end of line.
[[nodiscard]] std::string text_line(const Result& result);
/// {"check":..,"status":..,"text":..,"seed":..,"duration_ms":..}; without an end of line.
[[nodiscard]] std::string json_line(const Result& result, std::uint64_t seed);
/// "18 passed, 1 warned, 0 failed, 2 skipped (seed 1)"
[[nodiscard]] std::string text_summary(const Counts& counts, std::uint64_t seed);
/// The command that makes the first failed check again; empty: none failed.
[[nodiscard]] std::string repeat_hint(const std::string& file, std::span<const Result> results, std::uint64_t seed);
/// {"file":..,"passed":..,"warned":..,"failed":..,"skipped":..,"seed":..}
[[nodiscard]] std::string json_summary(const std::string& file, const Counts& counts, std::uint64_t seed);
/// A JUnit document with one suite. Warnings are passes with a word in system-out.
[[nodiscard]] std::string junit(const std::string& file, std::span<const Result> results, std::uint64_t seed);

}  // namespace varde::app::plugin_check
