#include "schedule/event_match.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::schedule {
namespace {

using nlohmann::json;

const json* at_the_end_of(const json& object, std::string_view way) {
    if (!object.is_object()) return nullptr;
    if (const auto found = object.find(way); found != object.end()) return &*found;
    const auto dot = way.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const auto next = object.find(way.substr(0, dot));
    return next == object.end() ? nullptr : at_the_end_of(*next, way.substr(dot + 1));
}

}  // namespace

std::string value_key(const json& value) {
    if (value.is_string()) return 's' + value.get_ref<const std::string&>();
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    return value.is_number() ? fmt::format("n{}", value.get<double>() + 0.0) : "";  // no -0
}

EventFilter::EventFilter(const core::EventMatch& match)
    : where_{std::make_unique<const json>(json::parse(match.where, nullptr, false))} {}
EventFilter::~EventFilter() = default;
EventFilter::EventFilter(EventFilter&&) noexcept = default;

std::pair<std::string, std::string> EventFilter::first_member() const {
    if (!where_->is_object() || where_->empty()) return {};
    return {where_->begin().key(), value_key(where_->begin().value())};
}

EventPayload::EventPayload(const core::Event& event) : event_{&event} {}
EventPayload::~EventPayload() = default;
EventPayload::EventPayload(EventPayload&&) noexcept = default;

bool EventPayload::has_all_of(const EventFilter& filter) const {
    // What cannot be read means no event: it was read when it was stored.
    if (!filter.where_->is_object()) return false;
    const auto wanted = filter.where_->items();
    return std::all_of(wanted.begin(), wanted.end(), [this](const auto& one) {
        const auto* const found = member(one.key());
        return found != nullptr && *found == one.value();
    });
}

const json* EventPayload::member(std::string_view way) const {
    if (!payload_) payload_ = std::make_unique<const json>(json::parse(event_->payload, nullptr, false));
    return at_the_end_of(*payload_, way);
}

bool means(const core::EventMatch& match, std::string_view org_id, const core::Event& event) {
    return match.category == event.category && org_id == event.scope.org_id && EventPayload{event}.has_all_of(EventFilter{match});
}

}  // namespace varde::schedule
