#include "api/routes.hpp"

#include "api/json_text.hpp"
#include "api/problem.hpp"
#include "time/utc_text.hpp"

#include <charconv>
#include <exception>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {

using core::Errc;
using core::Result;

Response report(const RouteContext& context, const core::Error& error) {
    auto response = problem_of(error);
    if (response.status >= 500 && error.code != Errc::overloaded && error.code != Errc::stopping) {
        context.services.log.log(ports::LogLevel::error, "api", "http_request_failed", error.context,
                                 {{"error", ports::Json{error_json(core::name_of(error.code), error.context)}}});
    }
    return response;
}

void answer_from_database(const Context& context, Reply reply, std::function<Result<Response>()> work) {
    context->pool.run([context, reply = std::move(reply), work = std::move(work)]() -> LoopPool::Then {
        Result<Response> outcome = core::fail(Errc::io_failed, "an exception in a database thread");
        try {
            outcome = work();
        } catch (const std::exception& error) {  // memory, or a defect: this request's, not the host's end
            outcome.error().context = error.what();
        }
        return [reply, response = outcome ? std::move(*outcome) : report(*context, outcome.error())]() mutable {
            reply(std::move(response));
        };
    });
}

Result<int> int_value(const Request& request, std::string_view key, int lowest, int highest, int otherwise) {
    const auto* const text = request.find(key);
    if (text == nullptr) return otherwise;
    int value = 0;
    const auto* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, value);
    if (read.ec == std::errc{} && read.ptr == end && value >= lowest && value <= highest) return value;
    return core::fail(Errc::invalid_argument, fmt::format("{} must be a number from {} to {}", key, lowest, highest));
}

Result<bool> bool_value(const Request& request, std::string_view key) {
    const auto* const text = request.find(key);
    if (text == nullptr || *text == "false") return false;
    if (*text == "true") return true;
    return core::fail(Errc::invalid_argument, fmt::format("{} must be true or false", key));
}

Result<std::optional<core::Instant>> time_value(const Request& request, std::string_view key) {
    const auto* const given = request.find(key);
    if (given == nullptr) return std::nullopt;
    auto text = *given;
    // An unescaped + of a zone arrives as a blank: 2026-01-01T00:00:00 00:00.
    constexpr std::size_t kZone = 16;
    if (const auto blank = text.find(' ', kZone); blank != std::string::npos) text[blank] = '+';
    const auto at = time::parse_utc(text);
    if (!at) return core::fail(Errc::invalid_argument, fmt::format("{} {}", key, at.error().context));
    return *at;
}

Result<std::optional<std::string>> name_value(const Request& request, std::string_view key) {
    const auto* const text = request.find(key);
    if (text == nullptr) return std::nullopt;
    constexpr std::size_t kMost = 100;
    const auto characters = utf8_characters(*text);
    if (characters && *characters >= 1 && *characters <= kMost) return *text;
    return core::fail(Errc::invalid_argument, fmt::format("{} must have 1 to 100 characters", key));
}

Result<core::ScopeFilter> scope_value(const Request& request, const Identity& identity) {
    auto scope = identity.scope;
    for (const auto& [key, part] :
         {std::pair{"org_id", &scope.org_id}, std::pair{"home_id", &scope.home_id}, std::pair{"subject_id", &scope.subject_id}}) {
        const auto value = name_value(request, key);
        if (!value) return tl::unexpected{value.error()};
        if (!*value) continue;
        if (!part->empty() && *part != **value) {
            return core::fail(Errc::forbidden, fmt::format("Forbidden: {} is outside of the token's scope", key));
        }
        *part = **value;
    }
    return scope;
}

Result<core::Scope> home_value(const Request& request, const Identity& identity) {
    const auto filter = scope_value(request, identity);
    if (!filter) return tl::unexpected{filter.error()};
    core::Scope scope;
    if (!filter->org_id.empty()) scope.org_id = filter->org_id;
    if (!filter->home_id.empty()) scope.home_id = filter->home_id;
    if (!filter->subject_id.empty()) scope.subject_id = filter->subject_id;
    return scope;
}

namespace {

void append_evidence_ids(std::string& out, const std::string& evidence) {
    const auto parsed = nlohmann::json::parse(evidence, nullptr, false);
    const auto* list = &parsed;
    if (parsed.is_object()) {
        const auto ids = parsed.find("event_ids");
        list = ids == parsed.end() ? nullptr : &*ids;
    }
    out += '[';
    if (list != nullptr && list->is_array()) {
        bool first = true;
        for (const auto& id : *list) {
            if (!std::exchange(first, false)) out += ',';
            out += id.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        }
    }
    out += ']';
}

void append_instant(std::string& out, std::string_view key, const std::optional<core::Instant>& at) {
    if (at) return append_member(out, key, time::format_utc(*at));
    append_key(out, key);
    out += "null";
}

/// What the reference's rows do not have.
void append_home_and_life(std::string& out, const core::Deviation& row) {
    append_member(out, "org_id", row.scope.org_id);
    append_member(out, "home_id", row.scope.home_id);
    append_member(out, "subject_id", row.scope.subject_id);
    append_key(out, "episode");
    out += std::to_string(row.episode);
    append_key(out, "ack");
    if (row.status != core::DeviationStatus::ack && row.ack_by.empty() && row.ack_comment.empty()) {
        out += "null";
    } else {
        out += '{';
        append_member(out, "by", row.ack_by);
        append_member(out, "comment", row.ack_comment);
        append_instant(out, "until", row.ack_until);
        out += '}';
    }
    append_instant(out, "closed_at", row.closed_at);
    append_member(out, "close_reason", row.close_reason);
}

}  // namespace

void append_row(std::string& out, const core::Deviation& row) {
    std::string text = "{";
    append_key(text, "deviation_id");
    text += std::to_string(row.deviation_id);
    append_member(text, "rule_id", row.rule_id);
    append_member(text, "status", core::name_of(row.status));
    append_member(text, "severity", core::name_of(row.finding.severity));
    append_member(text, "title", row.finding.title);
    append_member(text, "explanation", row.finding.explanation);
    append_member(text, "timestamp", time::format_utc(row.finding.timestamp));
    append_member(text, "started_at", time::format_utc(row.started_at));
    append_member(text, "last_seen_at", time::format_utc(row.last_seen_at));
    append_member(text, "subject_key", row.subject_key);
    append_key(text, "evidence");
    text += row.finding.evidence;
    append_key(text, "evidence_event_ids");
    append_evidence_ids(text, row.finding.evidence);
    append_key(text, "window");
    text += '{';
    append_member(text, "since", time::format_utc(row.finding.window.since));
    append_member(text, "until", time::format_utc(row.finding.window.until));
    text += '}';
    append_home_and_life(text, row);
    out += text + '}';
}

}  // namespace varde::api
