#pragma once
#include "ports/log_sink.hpp"
#include "time/clock.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace varde::observe {

/// "debug", "info", "warning", "error", as in host.yaml's log_level; nullopt for anything else.
[[nodiscard]] std::optional<ports::LogLevel> log_level_from(std::string_view name);

/// One log event as one line of JSON without its line end: ts, level, component, event, run_id (unless empty), msg, then the fields.
/// Pure; never throws for any bytes. Fields whose key may hold a secret or a payload are left out, inside Json values they become
/// "<redacted>"; texts are cut at 800 characters, lists at 50 elements, nesting at 3 levels; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_line(core::Instant at, ports::LogLevel level, std::string_view component, std::string_view event,
                                    std::string_view run_id, std::string_view message, std::span<const ports::LogField> fields);

/// Log events as JSON lines on a stream, one write each, flushed. Thread-safe.
class JsonLines final : public ports::LogSink {
  public:
    /// `out` stays open for the life of the sink and is not closed by it. Events below `least` are dropped.
    JsonLines(const time::Clock& clock, ports::LogLevel least, std::FILE* out = stdout);
    ~JsonLines() override;

    void write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
               std::string_view message, std::span<const ports::LogField> fields) override;
    [[nodiscard]] bool wants(ports::LogLevel level) const override { return level >= least_; }

  private:
    struct Stream;
    const time::Clock& clock_;
    ports::LogLevel least_;
    std::unique_ptr<Stream> stream_;
};

}  // namespace varde::observe
