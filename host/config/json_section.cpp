#include "config/json_section.hpp"

#include "config/scalar.hpp"
#include "config/schedule_definition.hpp"
#include "time/utc_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {

using nlohmann::json;

bool deeper_than(const json& value, int levels) {
    if (!value.is_structured()) return false;
    return levels == 0 || std::ranges::any_of(value, [levels](const json& item) { return deeper_than(item, levels - 1); });
}

JsonSection::JsonSection(const json& object, std::string path, std::vector<std::string>& problems)
    : object_{object}, path_{std::move(path)}, problems_{problems} {
    if (!object.is_object()) problems.push_back(fmt::format("{}must be an object", path_.empty() ? "" : path_ + ": "));
}

std::string JsonSection::path_of(std::string_view key) const {
    return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
}

void JsonSection::problem(std::string_view key, std::string_view message) {
    problems_.push_back(fmt::format("{}: {}", path_of(key), message));
}

const json* JsonSection::any(std::string_view key) {
    known_.push_back(key);
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    // null is how a merge patch and a form say "nothing": the default.
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool JsonSection::has(std::string_view key) const {
    const auto found = object_.is_object() ? object_.find(key) : object_.end();
    return found != object_.end() && !found->is_null();
}

const std::string* JsonSection::text_of(std::string_view key) {
    const auto* const value = any(key);
    if (value == nullptr) return nullptr;
    if (value->is_string()) return value->get_ptr<const std::string*>();
    problem(key, "must be a text");
    return nullptr;
}

void JsonSection::text(std::string_view key, std::size_t least, std::size_t most, std::string& out) {
    const auto* const value = text_of(key);
    if (value == nullptr) return;
    if (value->size() < least || value->size() > most || value->find('\0') != std::string::npos) {
        return problem(key, fmt::format("must have {} to {} characters", least, most));
    }
    out = *value;
}

void JsonSection::boolean(std::string_view key, bool& out) {
    const auto* const value = any(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return problem(key, "must be true or false");
    out = value->get<bool>();
}

void JsonSection::integer(std::string_view key, std::int64_t least, std::int64_t most, int& out) {
    const auto* const value = any(key);
    if (value == nullptr) return;
    const auto fits = value->is_number_integer() && !(value->is_number_unsigned() && value->get<std::uint64_t>() > INT32_MAX) &&
                      value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most;
    if (!fits) return problem(key, fmt::format("must be a whole number from {} to {}", least, most));
    out = value->get<int>();
}

void JsonSection::duration(std::string_view key, core::Microseconds least, core::Microseconds most, core::Microseconds& out) {
    const auto* const value = any(key);
    if (value == nullptr) return;
    const auto read = read_duration(*value);
    if (!read) return problem(key, read.error().context);
    if (*read < least || *read > most) {
        return problem(key, fmt::format("must be from {} to {}", duration_text(least), duration_text(most)));
    }
    out = *read;
}

void JsonSection::duration(std::string_view key, core::Microseconds least, core::Microseconds most,
                           std::optional<core::Microseconds>& out) {
    if (any(key) == nullptr) return;
    core::Microseconds value{-1};
    duration(key, least, most, value);
    if (value.count() >= 0) out = value;
}

void JsonSection::instant(std::string_view key, std::optional<core::Instant>& out) {
    const auto* const value = text_of(key);
    if (value == nullptr) return;
    const auto at = time::parse_utc(*value);
    if (!at) return problem(key, at.error().context);
    out = *at;
}

void JsonSection::texts(std::string_view key, std::size_t most, std::vector<std::string>& out) {
    const auto* const value = any(key);
    if (value == nullptr) return;
    constexpr std::size_t kLongest = 100;
    std::vector<std::string> list;
    bool sound = value->is_array() && value->size() <= most;
    for (std::size_t i = 0; sound && i < value->size(); ++i) {
        sound = (*value)[i].is_string();
        if (!sound) break;
        list.push_back((*value)[i].get<std::string>());
        sound = !list.back().empty() && list.back().size() <= kLongest && list.back().find('\0') == std::string::npos &&
                std::ranges::count(list, list.back()) == 1;
    }
    if (!sound)
        return problem(key, fmt::format("must be a list of at most {} different texts of 1 to {} characters", most, kLongest));
    out = std::move(list);
}

void JsonSection::object(std::string_view key, const std::function<void(const json&, const std::string&)>& read) {
    if (const auto* const value = any(key)) read(*value, path_of(key));
}

void JsonSection::finish() {
    if (!object_.is_object()) return;
    for (const auto& [key, value] : object_.items()) {
        if (std::ranges::find(known_, key) != known_.end()) continue;
        const auto near = nearest(key, known_);
        problem(key, near.empty() ? "unknown key" : fmt::format("unknown key; did you mean '{}'?", near));
    }
}

}  // namespace varde::config
