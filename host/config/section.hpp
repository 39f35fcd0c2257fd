#pragma once
#include "config/scalar.hpp"

#include <chrono>
#include <functional>

namespace varde::config {

/// Reads the keys of one map into settings. A key that is absent leaves its target as it was; what is wrong goes to Problems. finish()
/// reports the keys nobody asked for.
class Section {
  public:
    Section(const Value& map, std::string path, Problems& problems) : map_{map}, path_{std::move(path)}, problems_{problems} {}

    void integer(std::string_view key, std::int64_t least, std::int64_t most, const std::function<void(std::int64_t)>& store);
    template <class Integer>
    void integer(std::string_view key, std::int64_t least, std::int64_t most, Integer& out) {
        integer(key, least, most, [&out](std::int64_t value) { out = static_cast<Integer>(value); });
    }
    template <class Rep, class Period>
    void duration(std::string_view key, std::int64_t least, std::int64_t most, std::chrono::duration<Rep, Period>& out) {
        integer(key, least, most, [&out](std::int64_t value) { out = std::chrono::duration<Rep, Period>{value}; });
    }
    void boolean(std::string_view key, const std::function<void(bool)>& store);
    void boolean(std::string_view key, bool& out) {
        boolean(key, [&out](bool value) { out = value; });
    }
    /// `least`..`most` characters. A number or a boolean without quotes is an error, not a text.
    void text(std::string_view key, std::size_t least, std::size_t most, const std::function<void(std::string)>& store);
    void text(std::string_view key, std::size_t least, std::size_t most, std::string& out) {
        text(key, least, most, [&out](std::string value) { out = std::move(value); });
    }
    void choice(std::string_view key, const std::vector<std::string_view>& choices, std::string& out);
    /// A list of texts of 1..`most` characters; with `choices` each must be one of them.
    void texts(std::string_view key, std::size_t most, std::vector<std::string>& out,
               const std::vector<std::string_view>& choices = {});
    /// Calls `read` with the map of the key, if it is there and is one.
    void section(std::string_view key, const std::function<void(Section&)>& read);
    /// The map of the key, if it is there and is one.
    [[nodiscard]] const Value* map(std::string_view key);
    /// The value of the key, whatever it is, if it is there.
    [[nodiscard]] const Value* any(std::string_view key) { return value(key); }
    /// The list of the key, if it is there and is one.
    [[nodiscard]] const Value* list(std::string_view key);

    void problem(std::string_view key, std::string_view message);
    void finish();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Problems& problems() { return problems_; }

  private:
    /// The value of the key; nullptr if absent or without value (reported).
    const Value* value(std::string_view key);
    [[nodiscard]] std::string path_of(std::string_view key) const;
    void wrong_type(std::string_view key, const Value& value, std::string_view wanted);

    const Value& map_;
    std::string path_;
    Problems& problems_;
    std::vector<std::string_view> known_;
};

}  // namespace varde::config
