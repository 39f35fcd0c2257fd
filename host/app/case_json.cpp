#include "app/case_json.hpp"

#include "api/verdict_text.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Errc;
using core::fail;
using nlohmann::ordered_json;

/// Thrown and caught in this file only: a case has many keys, and each of them can be wrong.
struct BadCase {
    std::string text;
};

std::string text_of(const ordered_json& object, const char* key, const std::string& fallback = {}) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        if (!fallback.empty()) return fallback;
        throw BadCase{fmt::format("'{}' is missing", key)};
    }
    if (!found->is_string()) throw BadCase{fmt::format("'{}' must be a text", key)};
    return found->get<std::string>();
}

core::Instant time_of(const ordered_json& object, const char* key) {
    const auto parsed = time::parse_utc(text_of(object, key));
    if (!parsed) throw BadCase{fmt::format("'{}' {}", key, parsed.error().context)};
    return *parsed;
}

core::Scope scope_of(const ordered_json& object, const core::Scope& fallback) {
    return {text_of(object, "org_id", fallback.org_id), text_of(object, "home_id", fallback.home_id),
            text_of(object, "subject_id", fallback.subject_id)};
}

core::Event event_of(const ordered_json& json, const core::Scope& scope, std::int64_t seq) {
    if (!json.is_object()) throw BadCase{"'events' must hold objects"};
    core::Event event;
    event.seq = seq;
    event.event_id = text_of(json, "id");
    event.scope = scope_of(json, scope);
    event.stream_id = text_of(json, "stream_id", "prod");
    event.time = time_of(json, "timestamp");
    event.received_at = event.time;
    const auto category = json.find("category");
    // Recorded cases hold the empty category, which ingest refuses.
    if (category == json.end() || !category->is_string()) throw BadCase{"'category' of an event must be a text"};
    event.category = category->get<std::string>();
    if (const auto room = json.find("room_id"); room != json.end() && room->is_string()) event.room_id = room->get<std::string>();
    event.payload = json.contains("payload") ? json["payload"].dump() : "{}";
    return event;
}

}  // namespace

core::Result<EvalCase> read_case(std::string_view line) try {
    const auto json = ordered_json::parse(line);
    if (!json.is_object()) return fail(Errc::invalid_argument, "a case must be a JSON object");
    EvalCase read;
    if (json.contains("vector_id")) read.vector_id = json["vector_id"];
    if (json.contains("expected")) read.expected = json["expected"];
    read.evaluation.rule_id = text_of(json, "rule_id");
    read.evaluation.window = {time_of(json, "since"), time_of(json, "until")};
    read.evaluation.now = json.contains("now") ? time_of(json, "now") : read.evaluation.window.until;
    if (json.contains("scope")) read.evaluation.scope = scope_of(json["scope"], {});
    if (json.contains("params")) {
        if (!json["params"].is_object()) throw BadCase{"'params' must be an object"};
        read.params = json["params"].dump();
    }
    if (!json.contains("events") || !json["events"].is_array()) throw BadCase{"'events' must be a list"};
    std::int64_t seq = 0;
    for (const auto& event : json["events"]) read.events.push_back(event_of(event, read.evaluation.scope, ++seq));
    return read;
} catch (const ordered_json::exception& error) {
    return fail(Errc::invalid_argument, fmt::format("unreadable JSON: {}", error.what()));
} catch (const BadCase& error) {
    return fail(Errc::invalid_argument, error.text);
}

ordered_json answer(const EvalCase& asked, const core::Verdict& verdict) {
    ordered_json out;
    if (!asked.vector_id.is_null()) out["vector_id"] = asked.vector_id;
    out.update(api::verdict_json(asked.evaluation.rule_id, verdict));
    return out;
}

std::string difference(const EvalCase& asked, const core::Verdict& verdict) {
    if (asked.expected.is_null()) return "the case has no 'expected'";
    if (const auto* failed = std::get_if<core::Failed>(&verdict)) {
        return fmt::format("failed: {}: {}", core::name_of(failed->reason), failed->message);
    }
    nlohmann::json got = nlohmann::json::array();
    for (const auto& finding : std::get<core::Completed>(verdict).findings) {
        got.emplace_back(api::finding_json(asked.evaluation.rule_id, finding));
    }
    nlohmann::json want = asked.expected;
    for (auto& item : want) {
        if (item["evidence"].is_array()) item["evidence"] = {{"event_ids", item["evidence"]}};
    }
    if (got == want) return {};
    return fmt::format("expected {}\n     got {}", want.dump(), got.dump());
}

}  // namespace varde::app
