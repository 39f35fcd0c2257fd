#include "jobs/sync_items.hpp"

#include "config/json_section.hpp"
#include "config/schedule_definition.hpp"
#include "jobs/http_params.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace varde::jobs {
namespace {

using config::JsonSection;
using core::Errc;
using core::Result;
using core::Schedule;
using nlohmann::json;

constexpr std::size_t kMostItems = 10'000;
constexpr std::size_t kMostPages = 1'000;
constexpr std::size_t kLongestPage = 2'000;
constexpr std::size_t kLongestReason = 300;
constexpr const char* kMissingLabel = "sync_item";

void put_text(JsonSection& data, const char* key, const char* name, std::size_t most, json& out) {
    if (data.any(key) == nullptr) return;
    std::string text;
    data.text(key, 0, most, text);
    out[name] = text;
}

void put_integer(JsonSection& data, const char* key, const char* name, int most, json& out) {
    if (data.any(key) == nullptr) return;
    int number = 0;
    data.integer(key, 0, most, number);
    out[name] = number;
}

void put_pages(JsonSection& data, json& out) {
    const auto* const pages = data.any("customPages");
    if (pages == nullptr) return;
    const auto is_page = [](const json& page) {
        return page.is_string() && page.get_ref<const std::string&>().size() <= kLongestPage;
    };
    if (pages->is_array() && pages->size() <= kMostPages && std::ranges::all_of(*pages, is_page)) {
        out["custom_pages"] = *pages;
    } else {
        data.problem("customPages",
                     fmt::format("must be a list of at most {} texts of at most {} bytes", kMostPages, kLongestPage));
    }
}

/// The interface has sent it as a text, too.
void put_deep_scan(JsonSection& data, json& out) {
    const auto* const allowed = data.any("allow_deep_scan");
    if (allowed == nullptr) return;
    const bool yes = *allowed == true || *allowed == "true";
    const bool no = *allowed == false || *allowed == "false";
    if (!yes && !no) return data.problem("allow_deep_scan", "must be true or false");
    out["allow_deep_scan"] = yes;
    out["scan_type"] = yes ? "deep" : "quick";
}

/// What the job is to know of an item, as params; and when, into `definition`.
json read_data(const json& value, const std::string& path, json& definition, std::vector<std::string>& problems) {
    json out = json::object();
    JsonSection data{value, path, problems};
    std::string domain;
    data.text("domain", 1, 200, domain);
    if (data.any("domain") == nullptr) data.problem("domain", "is missing");
    out["domain"] = domain;
    definition["name"] = domain;
    put_text(data, "description", "description", 2'000, out);
    put_text(data, "accept_selector", "accept_selector", 2'000, out);
    put_integer(data, "maxPages", "max_pages", 20'000, out);
    put_integer(data, "scanDepth", "scan_depth", 1'000, out);
    put_integer(data, "maxRetries", "max_retries", 100, out);
    put_pages(data, out);
    put_deep_scan(data, out);
    if (data.any("schedule") == nullptr) data.problem("schedule", "is missing");
    data.object("schedule", [&](const json& schedule, const std::string& place) {
        JsonSection section{schedule, place, problems};
        if (const auto* const frequency = section.any("frequency")) definition["frequency"] = *frequency;
        if (const auto* const time = section.any("time")) definition["time_config"] = *time;
    });
    return out;
}

/// nullopt: it has none.
std::optional<std::string> id_of(const json& item) {
    const auto found = item.is_object() ? item.find("domain_config_id") : item.end();
    if (!item.is_object() || found == item.end()) return std::nullopt;
    if (found->is_number_integer()) return found->dump();
    if (!found->is_string() || found->get_ref<const std::string&>().empty()) return std::nullopt;
    return found->get<std::string>();
}

Result<Schedule> read_item(const json& item, const std::string& id, const SyncTarget& target) {
    std::vector<std::string> problems;
    json definition{{"id", sync_schedule_id(target.sync_id, id)},
                    {"kind", target.kind},
                    {"timezone", target.timezone},
                    {"policy", target.policy},
                    {"frequency", nullptr},
                    {"time_config", json::object()}};
    json said = json::object();
    JsonSection section{item, "", problems};
    if (section.any("data") == nullptr) section.problem("data", "is missing");
    section.object("data",
                   [&](const json& data, const std::string& path) { said = read_data(data, path, definition, problems); });
    if (!problems.empty()) return core::fail(Errc::invalid_argument, fmt::format("{}", fmt::join(problems, "; ")));
    said["domain_config_id"] = id;
    definition["labels"] = {{"domain", said["domain"]}, {"domain_config_id", id}};
    definition["params"] = target.params;
    (target.item_key.empty() ? definition["params"] : definition["params"][target.item_key]).merge_patch(said);
    auto schedule = config::read_schedule(definition, target.defaults);
    if (!schedule) return schedule;
    schedule->org_id = target.org_id;
    schedule->source = sync_source(target.sync_id);
    return schedule;
}

/// FNV-1a: not against somebody who looks for collisions. Two items with one id are noticed.
std::string hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("{:016x}", hash);
}

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/// At most `most` characters of ids. One that was changed has a colon, and one that was not has none.
std::string part_of_id(std::string_view text, std::size_t most) {
    const std::string hash = ':' + hash_of(text);
    if (text.size() <= most && std::ranges::all_of(text, is_plain)) return std::string{text};
    std::string part{text.substr(0, most - hash.size())};
    std::ranges::replace_if(
        part, [](char c) { return !is_plain(c); }, '-');
    return part + hash;
}

json labels_of(const Schedule& schedule) {
    auto labels = json::parse(schedule.labels, nullptr, false);
    return labels.is_object() ? labels : json::object();
}

bool was_set_aside(const Schedule& stored) { return labels_of(stored).contains(kMissingLabel); }

}  // namespace

std::string sync_source(const std::string& sync_id) { return "sync:" + sync_id; }

std::string sync_schedule_id(const std::string& sync_id, std::string_view domain_config_id) {
    constexpr std::size_t kMostOfSync = 40, kMostOfItem = 54;  // with "sync:" and ":" 100
    return fmt::format("sync:{}:{}", part_of_id(sync_id, kMostOfSync), part_of_id(domain_config_id, kMostOfItem));
}

Result<SyncItems> read_sync_items(const json& document, const SyncTarget& target) {
    const auto list = document.is_object() ? document.find("data") : document.end();
    if (!document.is_object() || list == document.end() || !list->is_array()) {
        return core::fail(Errc::invalid_argument, R"(the answer is no {"data": [...]})");
    }
    if (list->empty()) return core::fail(Errc::invalid_argument, "the list is empty");
    if (list->size() > kMostItems) {
        return core::fail(Errc::invalid_argument, fmt::format("the list has {} items; at most {}", list->size(), kMostItems));
    }
    SyncItems items;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto& item = (*list)[i];
        const auto id = id_of(item);
        if (!id) {
            items.complete = false;
            items.skipped.push_back({fmt::format("#{}", i + 1), "domain_config_id: is missing, or neither a text nor a number"});
            continue;
        }
        const bool first = items.present.insert(sync_schedule_id(target.sync_id, *id)).second;
        if (!first) {
            items.skipped.push_back({cut(*id, 100), "domain_config_id: is in the list twice; the first one counts"});
        } else if (auto schedule = read_item(item, *id, target)) {
            items.schedules.push_back(std::move(*schedule));
        } else {
            items.skipped.push_back({cut(*id, 100), cut(schedule.error().context, kLongestReason)});
        }
    }
    return items;
}

bool is_unchanged(const Schedule& stored, const Schedule& wanted) {
    const auto definition = [](const Schedule& schedule) {
        auto out = config::definition_json(schedule);
        out.erase("enabled");
        out.erase("owner");  // nothing that a list says
        return out;
    };
    return !was_set_aside(stored) && definition(stored) == definition(wanted);
}

Schedule updated(const Schedule& stored, const Schedule& wanted) {
    Schedule next = stored;
    next.name = wanted.name;
    next.labels = wanted.labels;
    next.kind = wanted.kind;
    next.params = wanted.params;
    next.trigger = wanted.trigger;
    next.policy = wanted.policy;
    if (was_set_aside(stored)) next.state = core::ScheduleState::active;
    return next;
}

Schedule set_aside(const Schedule& stored) {
    if (stored.state == core::ScheduleState::disabled) return stored;
    Schedule next = stored;
    auto labels = labels_of(stored);
    labels[kMissingLabel] = "missing";
    next.labels = labels.dump();
    next.state = core::ScheduleState::disabled;
    return next;
}

}  // namespace varde::jobs
