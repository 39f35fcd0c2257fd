#pragma once
#include "ports/log_sink.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace varde::fakes {

/// Keeps every log event. Thread-safe.
class LogSink final : public ports::LogSink {
  public:
    struct Entry {
        ports::LogLevel level{};
        std::string component;
        std::string event;
        std::string run_id;
        std::string message;
        std::map<std::string, std::variant<std::int64_t, double, bool, std::string, ports::Json>, std::less<>> fields;
    };

    void write(ports::LogLevel level, std::string_view component, std::string_view event, std::string_view run_id,
               std::string_view message, std::span<const ports::LogField> fields) override {
        Entry entry{level, std::string{component}, std::string{event}, std::string{run_id}, std::string{message}, {}};
        for (const auto& field : fields) entry.fields.emplace(std::string{field.key}, field.value);
        const std::lock_guard lock{mutex_};
        entries_.push_back(std::move(entry));
    }
    [[nodiscard]] std::vector<Entry> entries() const {
        const std::lock_guard lock{mutex_};
        return entries_;
    }
    [[nodiscard]] std::size_t count(std::string_view event) const {
        const std::lock_guard lock{mutex_};
        return static_cast<std::size_t>(std::ranges::count(entries_, event, &Entry::event));
    }

  private:
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
};

}  // namespace varde::fakes
