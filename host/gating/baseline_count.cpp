#include "gating/baseline_count.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::gating {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kDayUs = 24 * kHourUs;

std::int64_t floor_div(std::int64_t number, std::int64_t by) { return number / by - (number % by < 0 ? 1 : 0); }

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// The text of a state as people write it in idle_states; a real or an object is none.
std::string state_text(const nlohmann::json& value) {
    if (value.is_string()) return lower(value.get<std::string>());
    if (value.is_boolean() || value.is_number_integer()) return value.dump();
    return {};
}

std::uint64_t pair_of(int a, int b) { return (static_cast<std::uint64_t>(a) << 32U) | static_cast<std::uint64_t>(b); }

}  // namespace

std::vector<core::Window> baseline_days(const config::BaselineSettings& settings, const time::Zone& zone, core::Instant now) {
    const auto today = floor_div(zone.to_local_us(now), kDayUs);
    std::vector<core::Window> days;
    for (auto day = today - settings.window_days; day < today; ++day) {
        days.push_back({zone.from_local_us(day * kDayUs), zone.from_local_us((day + 1) * kDayUs)});
    }
    return days;
}

std::string definition_of(const config::BaselineSettings& settings) {
    return fmt::format("zone={} days={} categories={} idle={} support={} way_minutes={} ready_days={} ready_percent={} rooms={}",
                       settings.zone, settings.window_days, fmt::join(settings.categories, ","),
                       fmt::join(settings.idle_states, ","), settings.support_days, settings.max_transition.count(),
                       settings.ready_days, settings.ready_room_percent, settings.max_rooms);
}

bool is_due(const core::BaselineStatus* row, const std::string& definition, const core::Window& model) {
    return row == nullptr || !row->ready || row->definition != definition || row->model != model;
}

bool is_idle(std::string_view payload, const std::vector<std::string>& idle_states) {
    const auto json = nlohmann::json::parse(payload, nullptr, false);
    if (!json.is_object()) return false;
    for (const auto* key : {"state", "value"}) {
        const auto found = json.find(key);
        if (found == json.end() || found->is_null()) continue;
        return std::ranges::find(idle_states, state_text(*found)) != idle_states.end();
    }
    return false;
}

void BaselineCount::Days::see(std::int64_t day) {
    if (day == last) return;
    last = day;
    ++count;
}

int BaselineCount::room_number(const std::string& room) {
    const auto found = rooms_.find(room);
    if (found != rooms_.end()) return found->second;
    if (rooms_.size() >= settings_.max_rooms) return -1;
    return rooms_.emplace(room, static_cast<int>(rooms_.size())).first->second;
}

void BaselineCount::add(const core::Event& event) {
    if (std::ranges::find(settings_.categories, event.category) == settings_.categories.end()) return;
    const auto local = zone_.to_local_us(event.time);
    const auto day = floor_div(local, kDayUs);
    with_data_.see(day);
    if (event.room_id.empty() || is_idle(event.payload, settings_.idle_states)) return;
    const auto room = room_number(event.room_id);
    if (room < 0) return;
    cells_[pair_of(room, static_cast<int>(floor_div(local - day * kDayUs, kHourUs)))].see(day);
    if (last_room_ >= 0 && last_room_ != room && event.time - last_sign_ <= settings_.max_transition) {
        ways_[pair_of(last_room_, room)].see(day);
    }
    last_room_ = room;
    last_sign_ = event.time;
}

std::int64_t BaselineCount::supported(const Seen& seen) const {
    return std::ranges::count_if(seen, [&](const auto& one) { return one.second.count >= settings_.support_days; });
}

core::BaselineStatus BaselineCount::status(const core::Scope& scope, core::Window model, core::Instant now) const {
    core::BaselineStatus row;
    row.scope = scope;
    row.computed_at = now;
    row.model = model;
    row.definition = definition_of(settings_);
    row.days_with_data = with_data_.count;
    row.room_bucket_rows = static_cast<std::int64_t>(cells_.size());
    row.room_bucket_supported = supported(cells_);
    row.transition_rows = static_cast<std::int64_t>(ways_.size());
    row.transition_supported = supported(ways_);
    // A home whose sensors name no room has no cell: then its days alone decide.
    const bool rooms_known = *row.room_bucket_supported * 100 >= *row.room_bucket_rows * settings_.ready_room_percent;
    row.ready = row.days_with_data >= settings_.ready_days && rooms_known;
    return row;
}

}  // namespace varde::gating
