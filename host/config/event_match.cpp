#include "config/event_match.hpp"

#include "config/json_section.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::config {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMostMembers = 20;
constexpr std::size_t kMostEvents = 20;
constexpr std::size_t kLongestWay = 200;
constexpr std::size_t kLongestText = 500;

/// What is wrong with a member, or a way to one such as "user.id".
std::string fault_of_way(std::string_view way) {
    if (way.empty() || way.size() > kLongestWay) return fmt::format("must have 1 to {} characters", kLongestWay);
    if (way.find('\0') != std::string_view::npos) return "must not hold a zero character";
    const bool hollow = way.front() == '.' || way.back() == '.' || way.find("..") != std::string_view::npos;
    return hollow ? "must be a member of the payload, or a way to one such as user.id" : "";
}

void read_where(const json& where, const std::string& path, core::EventMatch& out, std::vector<std::string>& problems) {
    if (!where.is_object()) return problems.push_back(path + ": must be an object");
    if (where.size() > kMostMembers)
        return problems.push_back(fmt::format("{}: must have at most {} members", path, kMostMembers));
    for (const auto& [way, value] : where.items()) {
        const auto place = fmt::format("{}.{}", path, way);
        if (const auto fault = fault_of_way(way); !fault.empty())
            problems.push_back(fmt::format("{}: its name {}", place, fault));
        if (!value.is_string() && !value.is_number() && !value.is_boolean()) {
            problems.push_back(place + ": must be a text, a number, true or false");
        } else if (value.is_string() && value.get_ref<const std::string&>().size() > kLongestText) {
            problems.push_back(fmt::format("{}: must have at most {} characters", place, kLongestText));
        }
    }
    out.where = where.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Calls `read` for each object of a list.
template <class Read>
void read_list(JsonSection& section, std::string_view key, const std::string& path, std::vector<std::string>& problems,
               Read read) {
    const auto* const list = section.any(key);
    if (list == nullptr) return;
    if (!list->is_array() || list->size() > kMostEvents) {
        return section.problem(key, fmt::format("must be a list of at most {} objects with the key event", kMostEvents));
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto place = fmt::format("{}.{}[{}]", path, key, i);
        JsonSection one{(*list)[i], place, problems};
        if (!(*list)[i].is_object()) continue;  // the section has said so
        read(one, place);
        one.finish();
    }
}

}  // namespace

void read_event_match(JsonSection& section, const std::string& path, core::EventMatch& out, std::vector<std::string>& problems) {
    if (!section.has("event")) section.problem("event", "is missing: the category of the event");
    section.text("event", 1, 100, out.category);
    if (const auto* const where = section.any("where")) read_where(*where, path + ".where", out, problems);
}

void read_listens(JsonSection& section, const std::string& path, core::Trigger& out, std::vector<std::string>& problems) {
    read_list(section, "cancel_on", path, problems, [&](JsonSection& one, const std::string& place) {
        read_event_match(one, place, out.cancel_on.emplace_back(), problems);
    });
    read_list(section, "move_on", path, problems, [&](JsonSection& one, const std::string& place) {
        auto& move = out.move_on.emplace_back();
        read_event_match(one, place, move.on, problems);
        if (!one.has("time")) return one.problem("time", "is missing: the member of the payload that holds the new time");
        one.text("time", 1, kLongestWay, move.time_member);
        if (move.time_member.empty()) return;
        if (const auto fault = fault_of_way(move.time_member); !fault.empty()) one.problem("time", fault);
    });
}

ordered_json event_match_json(const core::EventMatch& match) {
    ordered_json out{{"event", match.category}};
    if (match.where != "{}") out["where"] = ordered_json::parse(match.where, nullptr, false);
    return out;
}

void put_listens(ordered_json& out, const core::Trigger& trigger) {
    for (const auto& match : trigger.cancel_on) out["cancel_on"].push_back(event_match_json(match));
    for (const auto& move : trigger.move_on) {
        auto one = event_match_json(move.on);
        one["time"] = move.time_member;
        out["move_on"].push_back(std::move(one));
    }
}

}  // namespace varde::config
