#include "jobs/http_params.hpp"

#include "jobs/http_client.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::jobs {
namespace {

using core::Errc;
using nlohmann::json;

constexpr std::string_view kEnv = "env:";
constexpr std::string_view kEnvPrefix = "VARDE_JOB_";
constexpr std::size_t kMostHeaders = 50;
constexpr std::size_t kLongestValue = 4'096;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
bool is_name(std::string_view name) { return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, is_name_char); }
/// Line ends would end the header and begin another one.
bool is_value(std::string_view value) {
    return value.size() <= kLongestValue &&
           std::ranges::none_of(value, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; });
}
bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}
bool is_ours(std::string_view name) {
    constexpr std::array<std::string_view, 6> kOurs{"Idempotency-Key",   "X-Varde-Fence", "Content-Length",
                                                    "Transfer-Encoding", "Connection",    "Expect"};
    return std::ranges::any_of(kOurs, [&](std::string_view ours) { return same_name(name, ours); });
}

void read_headers(config::JsonSection& section, HttpParams& params) {
    const auto* const headers = section.any("headers");
    if (headers == nullptr) return;
    if (!headers->is_object() || headers->size() > kMostHeaders) {
        return section.problem("headers", fmt::format("must be an object of at most {} texts", kMostHeaders));
    }
    for (const auto& [name, value] : headers->items()) {
        if (!is_name(name)) return section.problem("headers", "a header's name may have letters, digits, - and _ only");
        if (is_ours(name)) return section.problem("headers." + name, "is set by Varde");
        if (!value.is_string() || !is_value(value.get_ref<const std::string&>())) {
            return section.problem("headers." + name,
                                   fmt::format("must be a text of one line of at most {} bytes", kLongestValue));
        }
        const auto& text = value.get_ref<const std::string&>();
        const std::string_view variable = std::string_view{text}.substr(std::min(text.size(), kEnv.size()));
        if (text.starts_with(kEnv) && !(is_name(variable) && variable.starts_with(kEnvPrefix))) {
            return section.problem("headers." + name, fmt::format("the variable's name must begin with {}", kEnvPrefix));
        }
        params.headers.emplace_back(name, text);
    }
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>{value};
    };
}

void read_http_params(config::JsonSection& section, HttpParams& params) {
    section.text("url", 1, 2'000, params.url);
    if (!section.has("url")) {
        section.problem("url", "is missing");
    } else if (!params.url.empty()) {
        if (const auto sound = check_url(params.url); !sound) section.problem("url", sound.error().context);
    }
    read_headers(section, params);
    section.duration("timeout", std::chrono::milliseconds{10}, std::chrono::days{1}, params.timeout);
}

bool has_env_header(const HttpParams& params) {
    return std::ranges::any_of(params.headers, [](const auto& header) { return header.second.starts_with(kEnv); });
}

core::Result<std::vector<std::pair<std::string, std::string>>> headers_of(const HttpParams& params, const ports::JobCall& call,
                                                                          const Environment& environment) {
    auto headers = params.headers;
    for (auto& [name, value] : headers) {
        if (!value.starts_with(kEnv)) continue;
        const auto variable = value.substr(kEnv.size());
        const auto found = environment(variable);
        if (!found) return core::fail(Errc::not_found, fmt::format("params.headers.{}: the host has no {}", name, variable));
        if (!is_value(*found)) {
            return core::fail(Errc::invalid_argument, fmt::format("params.headers.{}: {} is not one line", name, variable));
        }
        value = *found;
    }
    headers.emplace_back("Idempotency-Key", call.slot_key);
    headers.emplace_back("X-Varde-Fence", call.fence);
    return headers;
}

std::chrono::milliseconds timeout_of(const HttpParams& params, const ports::JobCall& call) {
    return std::chrono::ceil<std::chrono::milliseconds>(std::min(params.timeout, call.schedule.policy.run_timeout));
}

std::optional<json> json_of(const std::string& text) {
    constexpr int kDeepest = 64;
    bool too_deep = false;
    const auto keep = [&](int depth, json::parse_event_t, const json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
    };
    auto value = json::parse(text, keep, false);
    if (too_deep || value.is_discarded()) return std::nullopt;
    return value;
}

std::string cut(const std::string& text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    return text.substr(0, most);
}

}  // namespace varde::jobs
