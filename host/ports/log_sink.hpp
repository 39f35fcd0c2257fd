#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace varde::ports {

enum class LogLevel { debug, info, warning, error };

/// A field of a log event. Json is inserted as it is: the caller vouches that it is JSON.
struct Json {
    std::string text;
};
struct LogField {
    std::string_view key;
    std::variant<std::int64_t, double, bool, std::string, Json> value;
};

/// Where log events go: one JSON object a line in production (observe/), a list in tests. Thread-safe; never throws, never blocks long.
/// `event` is a stable name listed in docs/log-events.md.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
                       std::string_view message, std::span<const LogField> fields) = 0;

    /// False if events of this level are dropped: who would log one per scope and rule asks first.
    [[nodiscard]] virtual bool wants(LogLevel) const { return true; }

    void log(LogLevel level, std::string_view component, std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
        write(level, component, event, {}, message, std::span{fields.begin(), fields.size()});
    }
};

}  // namespace varde::ports
