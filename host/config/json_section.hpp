#pragma once
#include "core/error.hpp"
#include "core/instant.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace varde::config {

constexpr int kDeepest = 32;  ///< levels of arrays and objects in what people send
[[nodiscard]] bool deeper_than(const nlohmann::json& value, int levels);

/// Reads the keys of one JSON object into settings, as Section does for YAML. A key that is absent leaves its target as it was; what is
/// wrong is added to `problems` with its place ("policy.retry.backoff: ..."). finish() reports keys that nobody asked for.
class JsonSection {
  public:
    /// `path`: "" for the whole. If `object` is no object that is the only problem.
    JsonSection(const nlohmann::json& object, std::string path, std::vector<std::string>& problems);

    void text(std::string_view key, std::size_t least, std::size_t most, std::string& out);  ///< length in bytes
    void boolean(std::string_view key, bool& out);
    void integer(std::string_view key, std::int64_t least, std::int64_t most, int& out);
    void duration(std::string_view key, core::Microseconds least, core::Microseconds most, core::Microseconds& out);
    void duration(std::string_view key, core::Microseconds least, core::Microseconds most,
                  std::optional<core::Microseconds>& out);
    void instant(std::string_view key, std::optional<core::Instant>& out);
    void texts(std::string_view key, std::size_t most, std::vector<std::string>& out);  ///< different texts of 1..100 bytes
    /// `from` gives the value of a name; `names`, for the message: "skip, queue_one".
    template <class Enum>
    void choice(std::string_view key, std::string_view names, std::optional<Enum> (*from)(std::string_view), Enum& out);
    void object(std::string_view key, const std::function<void(const nlohmann::json&, const std::string& path)>& read);
    /// The value of the key, or nullptr. It counts as known.
    [[nodiscard]] const nlohmann::json* any(std::string_view key);
    /// Whether it says something: null does not.
    [[nodiscard]] bool has(std::string_view key) const;

    void problem(std::string_view key, std::string_view message);
    void finish();

  private:
    [[nodiscard]] const std::string* text_of(std::string_view key);
    [[nodiscard]] std::string path_of(std::string_view key) const;

    const nlohmann::json& object_;
    std::string path_;
    std::vector<std::string>& problems_;
    std::vector<std::string_view> known_;
};

template <class Enum>
void JsonSection::choice(std::string_view key, std::string_view names, std::optional<Enum> (*from)(std::string_view), Enum& out) {
    const auto* const text = text_of(key);
    if (text == nullptr) return;
    if (const auto value = from(*text)) {
        out = *value;
    } else {
        problem(key, "must be one of " + std::string{names});
    }
}

}  // namespace varde::config
