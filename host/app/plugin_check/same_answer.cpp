#include "app/plugin_check/same_answer.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::app::plugin_check {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kIdStart = "event-";
constexpr std::size_t kIdLength = 12;  // event-000000

void sort_lists(ordered_json& value) {
    if (!value.is_array() && !value.is_object()) return;
    for (auto& item : value) sort_lists(item);
    const bool texts = value.is_array() && std::ranges::all_of(value, [](const auto& item) { return item.is_string(); });
    if (texts) std::sort(value.begin(), value.end());
}

}  // namespace

std::string first_difference(const std::string& one, const std::string& other) {
    constexpr std::size_t before = 30;
    constexpr std::size_t shown = 120;
    const auto at = static_cast<std::size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
    const auto from = at > before ? at - before : 0;
    const auto part = [&](const std::string& text) {
        return (from > 0 ? "..." : "") + text.substr(from, shown) + (text.size() > from + shown ? "..." : "");
    };
    return fmt::format("'{}' became '{}'", part(one), part(other));
}

bool same_but_for_order(const std::string& one, const std::string& other) {
    auto a = ordered_json::parse(one, nullptr, false);
    auto b = ordered_json::parse(other, nullptr, false);
    sort_lists(a);
    sort_lists(b);
    return a == b;
}

std::string with_ids(const std::string& text, const std::map<std::string, std::string>& original) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto found =
            text.compare(at, kIdStart.size(), kIdStart) == 0 ? original.find(text.substr(at, kIdLength)) : original.end();
        if (found == original.end()) {
            out += text[at++];
        } else {
            out += found->second;
            at += kIdLength;
        }
    }
    return out;
}

}  // namespace varde::app::plugin_check
