#include "observe/json_lines.hpp"

#include "time/utc_text.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace varde::observe {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMaxCharacters = 800;
constexpr std::size_t kMaxElements = 50;
constexpr int kMaxDepth = 3;
constexpr std::array<std::string_view, 4> kLevels{"DEBUG", "INFO", "WARNING", "ERROR"};
constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 11> kSecretKeys{"payload",       "body",      "request_body", "headers",
                                                       "authorization", "x-api-key", "api_key",      "token",
                                                       "password",      "secret",    "database_url"};

bool is_secret(std::string_view key) {
    std::string lower{key};
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::find(kSecretKeys, lower) != kSecretKeys.end();
}

/// Cut at 800 characters, never inside one.
std::string cut(std::string_view text) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
        if (++characters > kMaxCharacters) return std::string{text.substr(0, i)} + "...<truncated>";
    }
    // Bytes that are no UTF-8 may all look like continuations.
    if (text.size() > 4 * kMaxCharacters) return std::string{text.substr(0, 4 * kMaxCharacters)} + "...<truncated>";
    return std::string{text};
}

ordered_json cleaned(const ordered_json& value, int depth) {
    if (value.is_string()) return cut(value.get_ref<const std::string&>());
    if (!value.is_structured()) return value;
    if (depth > kMaxDepth) return "<truncated>";
    auto copy = value.is_array() ? ordered_json::array() : ordered_json::object();
    std::size_t taken = 0;
    for (const auto& [key, inner] : value.items()) {
        if (value.is_object()) {
            copy[key] = is_secret(key) ? ordered_json("<redacted>") : cleaned(inner, depth + 1);
        } else if (taken++ < kMaxElements) {
            copy.push_back(cleaned(inner, depth + 1));
        }
    }
    return copy;
}

ordered_json value_of(const ports::LogField& field) {
    return std::visit(
        [](const auto& value) -> ordered_json {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, ports::Json>) {
                const auto parsed = ordered_json::parse(value.text, nullptr, false);
                return parsed.is_discarded() ? ordered_json(cut(value.text)) : cleaned(parsed, 1);
            } else if constexpr (std::is_same_v<T, std::string>) {
                return cut(value);
            } else {
                return value;
            }
        },
        field.value);
}

}  // namespace

std::optional<ports::LogLevel> log_level_from(std::string_view name) {
    const auto found = std::ranges::find(kLevelNames, name);
    if (found == kLevelNames.end()) return std::nullopt;
    return static_cast<ports::LogLevel>(found - kLevelNames.begin());
}

std::string json_line(core::Instant at, ports::LogLevel level, std::string_view component, std::string_view event,
                      std::string_view run_id, std::string_view message, std::span<const ports::LogField> fields) {
    ordered_json line{{"ts", time::format_utc(at)},
                      {"level", kLevels.at(static_cast<std::size_t>(level))},
                      {"component", component},
                      {"event", event}};
    if (!run_id.empty()) line["run_id"] = run_id;
    line["msg"] = cut(message);
    for (const auto& field : fields) {
        if (!is_secret(field.key)) line[std::string{field.key}] = value_of(field);
    }
    return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// spdlog serialises the writers and flushes; the lines are ours, since its JSON patterns do not escape the message.
struct JsonLines::Stream {
    class File final : public spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex> {
      public:
        explicit File(std::FILE* out) : stdout_sink_base{out} {}
    };
    explicit Stream(std::FILE* out) : logger{"varde", std::make_shared<File>(out)} {
        logger.set_pattern("%v");
        logger.set_level(spdlog::level::trace);
        // A full disk or a closed pipe must neither throw nor recurse into the log.
        logger.set_error_handler([](const std::string&) {});
    }
    spdlog::logger logger;
};

JsonLines::JsonLines(const time::Clock& clock, ports::LogLevel least, std::FILE* out)
    : clock_{clock}, least_{least}, stream_{std::make_unique<Stream>(out)} {}
JsonLines::~JsonLines() = default;

void JsonLines::write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
                      std::string_view message, std::span<const ports::LogField> fields) {
    if (!wants(level)) return;
    const auto line = json_line(clock_.now(), level, component, event, run_id, message, fields);
    stream_->logger.log(spdlog::level::info, spdlog::string_view_t{line.data(), line.size()});
}

}  // namespace varde::observe
