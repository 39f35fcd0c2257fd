#include "app/plugin_check/report.hpp"

#include "app/json_output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app::plugin_check {
namespace {

using nlohmann::ordered_json;

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

/// Text of a plugin may hold anything; XML 1.0 does not take control characters, not even escaped.
std::string xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\n':
            case '\t': out += ' '; break;
            default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return out;
}

std::string junit_case(const Result& result) {
    const auto open = fmt::format(R"(  <testcase classname="varde.plugin_check" name="{}" time="{:.3f}")", xml(result.name),
                                  seconds(result.duration));
    const auto text = xml(result.answer.text);
    switch (result.answer.status) {
        case Status::pass: return open + "/>\n";
        case Status::warn: return fmt::format("{}><system-out>warning: {}</system-out></testcase>\n", open, text);
        case Status::fail: return fmt::format("{}><failure message=\"{}\"/></testcase>\n", open, text);
        case Status::skip: return fmt::format("{}><skipped message=\"{}\"/></testcase>\n", open, text);
    }
    return {};
}

}  // namespace

std::string_view name_of(Status status) {
    switch (status) {
        case Status::pass: return "pass";
        case Status::warn: return "warn";
        case Status::fail: return "fail";
        case Status::skip: return "skip";
    }
    return "";
}

Counts count(std::span<const Result> results) {
    Counts counts;
    for (const auto& result : results) {
        switch (result.answer.status) {
            case Status::pass: ++counts.passed; break;
            case Status::warn: ++counts.warned; break;
            case Status::fail: ++counts.failed; break;
            case Status::skip: ++counts.skipped; break;
        }
    }
    return counts;
}

std::string text_line(const Result& result) {
    const auto status = result.answer.status == Status::fail ? "FAIL" : name_of(result.answer.status);
    return fmt::format("{:<5} {:<22} {}", status, result.name, result.answer.text);
}

std::string json_line(const Result& result, std::uint64_t seed) {
    return app::json_line({{"check", result.name},
                           {"status", name_of(result.answer.status)},
                           {"text", result.answer.text},
                           {"seed", seed},
                           {"duration_ms", seconds(result.duration) * 1000}});
}

std::string text_summary(const Counts& counts, std::uint64_t seed) {
    return fmt::format("{} passed, {} warned, {} failed, {} skipped (seed {})", counts.passed, counts.warned, counts.failed,
                       counts.skipped, seed);
}

std::string repeat_hint(const std::string& file, std::span<const Result> results, std::uint64_t seed) {
    for (const auto& result : results) {
        if (result.answer.status == Status::fail)
            return fmt::format("again: varde plugin check {} --seed {} --only {}", file, seed, result.name);
    }
    return {};
}

std::string json_summary(const std::string& file, const Counts& counts, std::uint64_t seed) {
    return app::json_line({{"file", file},
                           {"passed", counts.passed},
                           {"warned", counts.warned},
                           {"failed", counts.failed},
                           {"skipped", counts.skipped},
                           {"seed", seed}});
}

std::string junit(const std::string& file, std::span<const Result> results, std::uint64_t seed) {
    const auto counts = count(results);
    std::chrono::nanoseconds all{};
    for (const auto& result : results) all += result.duration;
    auto text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n"
        "  <properties><property name=\"seed\" value=\"{}\"/></properties>\n",
        xml(file), results.size(), counts.failed, counts.skipped, seconds(all), seed);
    for (const auto& result : results) text += junit_case(result);
    return text + "</testsuite>\n";
}

}  // namespace varde::app::plugin_check
