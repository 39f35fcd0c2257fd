#include "ingest/event_fields.hpp"

#include "ingest/event_id.hpp"
#include "time/utc_text.hpp"

#include <utility>

#include <fmt/format.h>

namespace varde::ingest {
namespace {

constexpr std::size_t kIdCharacters = 200;
constexpr std::size_t kNameCharacters = 100;

/// A text of 1..most characters without U+0000, which PostgreSQL cannot keep.
void check_text(std::string_view name, std::string_view text, std::size_t most, ports::IntakeItem& item) {
    if (text.empty()) return note(item, name, fmt::format("{} is empty", name));
    if (text.size() > most && characters(text) > most) {
        return note(item, name, fmt::format("{} has {} characters; at most {} are accepted", name, characters(text), most));
    }
    if (text.find('\0') != std::string_view::npos) note(item, name, fmt::format("{} contains a NUL character", name));
}

void set_scope_part(std::string_view name, const Fields::Text& given, const std::string& allowed, std::string& part,
                    ports::IntakeItem& item) {
    if (!given) {
        if (!allowed.empty()) part = allowed;
        return;
    }
    check_text(name, *given, kNameCharacters, item);
    if (!allowed.empty() && *given != allowed) {
        note(item, name, fmt::format("{} is not the one that this token may write to", name));
    }
    part = *given;
}

void set_time(const Fields::Text& text, const ports::IntakeContext& context, std::chrono::seconds max_future, core::Event& event,
              ports::IntakeItem& item) {
    if (!text) return note(item, "timestamp", "timestamp is missing");
    const auto at = time::parse_utc(*text);
    if (!at) return note(item, "timestamp", "timestamp " + at.error().context);
    event.time = *at;
    if (!context.check_future || max_future.count() < 0 || event.time <= context.received_at + max_future) return;
    const auto ahead = std::chrono::duration_cast<std::chrono::seconds>(event.time - context.received_at).count();
    note(item, "timestamp",
         fmt::format("timestamp is {} s ahead of the host's clock; at most {} s are accepted (ingest.max_future_seconds)", ahead,
                     max_future.count()));
}

void set_payload(const Fields& fields, const config::HostConfig::Ingest& limits, core::Event& event, ports::IntakeItem& item) {
    if (!fields.payload) return;
    if (fields.payload->size() > limits.max_payload_bytes) {
        return note(
            item, "payload",
            fmt::format("payload has {} bytes; at most {} are accepted", fields.payload->size(), limits.max_payload_bytes));
    }
    if (fields.payload_depth > limits.max_payload_depth) {
        return note(
            item, "payload",
            fmt::format("payload is nested {} deep; at most {} is accepted", fields.payload_depth, limits.max_payload_depth));
    }
    event.payload = *fields.payload;
}

void set_room(const Fields& fields, const RoomPicture* rooms, core::Event& event, ports::IntakeItem& item) {
    if (fields.room_id) {
        check_text("room_id", *fields.room_id, kNameCharacters, item);
        event.room_id = *fields.room_id;
        return;
    }
    // A payload is the device's business: what cannot be a room there is no room, and no reason to refuse the event.
    const auto* const home = rooms == nullptr ? nullptr : rooms->of(event.scope.org_id, event.scope.home_id);
    const auto room = derive_room(fields.room_words, home);
    if (characters(room) <= kNameCharacters && room.find('\0') == std::string_view::npos) event.room_id = room;
}

}  // namespace

void note(ports::IntakeItem& item, std::string_view field, std::string problem) {
    if (!item.problem.empty()) return;  // the first one is reported
    item.field = field;
    item.problem = std::move(problem);
}

void judge(const Fields& fields, const ports::IntakeContext& context, const config::HostConfig::Ingest& limits,
           const RoomPicture* rooms, Reading& out) {
    auto& [event, arrives, item] = out;
    if (fields.id) {
        event.event_id = canonical_event_id(*fields.id);
        check_text("id", event.event_id, kIdCharacters, item);
        item.event_id = event.event_id.substr(0, 4 * kIdCharacters);
    } else {
        note(item, "id", "id is missing");
    }
    set_time(fields.timestamp, context, limits.max_future, event, item);
    if (fields.category) {
        check_text("category", *fields.category, kNameCharacters, item);
        event.category = *fields.category;
    } else {
        note(item, "category", "category is missing");
    }
    set_scope_part("org_id", fields.org_id, context.allowed.org_id, event.scope.org_id, item);
    set_scope_part("home_id", fields.home_id, context.allowed.home_id, event.scope.home_id, item);
    set_scope_part("subject_id", fields.subject_id, context.allowed.subject_id, event.scope.subject_id, item);
    if (fields.stream_id) check_text("stream_id", *fields.stream_id, kNameCharacters, item);
    event.stream_id = fields.stream_id ? std::string{*fields.stream_id} : context.stream_id;
    set_payload(fields, limits, event, item);
    set_room(fields, rooms, event, item);
    event.received_at = context.received_at;
    if (fields.arrives) {
        const auto at = time::parse_utc(*fields.arrives);
        if (at) arrives = *at;
    }
}

}  // namespace varde::ingest
