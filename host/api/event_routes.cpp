#include "api/inflate.hpp"
#include "api/json_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "time/utc_text.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace varde::api {
namespace {

using core::Result;
using ports::BodyFormat;
using ports::IntakeItem;
using ports::Role;
using Items = Result<std::vector<IntakeItem>>;

/// A longer body is read on a database thread, so that the loop can serve others meanwhile.
constexpr std::size_t kReadOnLoopBytes = 128u << 10;

Response answer_single(const RouteContext& context, const Items& items) {
    if (!items) return report(context, items.error());
    const auto& item = items->front();
    if (!item.problem.empty()) return problem(422, item.problem, item.field);
    return json(item.deduped ? R"({"received":true,"deduped":true})" : R"({"received":true,"deduped":false})");
}

Response answer_bulk(const RouteContext& context, const Items& items) {
    if (!items) return report(context, items.error());
    std::string results;
    results.reserve(items->size() * 80);
    std::int64_t accepted = 0;
    std::int64_t deduped = 0;
    std::int64_t refused = 0;
    for (const auto& item : *items) {
        results += results.empty() ? "{" : ",{";
        append_member(results, "id", item.event_id);
        ++(!item.stored ? refused : item.deduped ? deduped : accepted);
        append_member(results, "status", !item.stored ? "refused" : item.deduped ? "deduped" : "accepted");
        if (!item.stored) {
            append_member(results, "field", item.field);
            append_member(results, "detail", item.problem);
        }
        results += '}';
    }
    return json(
        fmt::format(R"({{"accepted":{},"deduped":{},"refused":{},"results":[{}]}})", accepted, deduped, refused, results));
}

bool is_gzip(const Request& request) { return request.content_encoding == "gzip" || request.content_encoding == "x-gzip"; }

/// An array by its first character; anything else is one JSON object a line, also a single one.
BodyFormat bulk_format(std::string_view body) {
    const auto first = body.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && body[first] == '[' ? BodyFormat::array : BodyFormat::ndjson;
}

using Answer = Response (*)(const RouteContext&, const Items&);

/// Hands the text to the intake and answers when it is durable.
void submit(const Context& context, std::string_view text, BodyFormat format, const ports::IntakeContext& intake, Answer answer,
            const Reply& reply) {
    context->services.intake.submit(text, format, intake, [context, answer, reply](Items items) mutable {
        const auto& post = context->post;
        post([context, answer, reply = std::move(reply), items = std::move(items)] { reply(answer(*context, items)); });
    });
}

void take_events(const Context& context, const Request& request, const Identity& identity, bool bulk, const Reply& reply) {
    const auto stream = name_value(request, "stream_id");
    if (!stream) return reply(report(*context, stream.error()));
    ports::IntakeContext intake;
    intake.allowed = identity.scope;
    if (*stream) intake.stream_id = **stream;
    intake.received_at = context->services.clock.now();
    const auto answer = bulk ? &answer_bulk : &answer_single;
    const auto format = [bulk](std::string_view text) { return bulk ? bulk_format(text) : BodyFormat::single; };

    const auto& encoding = request.content_encoding;
    const bool packed = is_gzip(request);
    if (!packed && !encoding.empty() && encoding != "identity") {
        return reply(problem(415, "Content-Encoding must be gzip or identity"));
    }
    const auto body = request.body;  // valid until the reply
    if (!packed && body.size() <= kReadOnLoopBytes) return submit(context, body, format(body), intake, answer, reply);
    context->pool.run([=]() -> LoopPool::Then {
        if (!packed) {
            submit(context, body, format(body), intake, answer, reply);
            return [] {};
        }
        const auto text = gunzip(body, context->settings.http.max_body_bytes);
        if (!text) return [context, reply, error = text.error()] { reply(report(*context, error)); };
        submit(context, *text, format(*text), intake, answer, reply);
        return [] {};
    });
}

Result<ports::EventQuery> event_query(const Request& request, const Identity& identity) {
    ports::EventQuery query;
    if (auto scope = scope_value(request, identity))
        query.scope = *scope;
    else
        return tl::unexpected{scope.error()};
    if (auto limit = int_value(request, "limit", 1, 1000, 100))
        query.limit = *limit;
    else
        return tl::unexpected{limit.error()};
    if (auto stream = name_value(request, "stream_id"))
        query.stream_id = stream->value_or("prod");
    else
        return tl::unexpected{stream.error()};
    if (auto category = name_value(request, "category"))
        query.category = *category;
    else
        return tl::unexpected{category.error()};
    for (const auto& [key, bound] :
         {std::pair{"since", &query.since}, std::pair{"until", &query.until}, std::pair{"before", &query.before}}) {
        const auto at = time_value(request, key);
        if (!at) return tl::unexpected{at.error()};
        *bound = *at;
    }
    return query;
}

void append_event(std::string& out, const core::Event& event) {
    out += out.back() == '[' ? "{" : ",{";
    append_member(out, "id", event.event_id);
    append_member(out, "timestamp", time::format_utc(event.time));
    append_member(out, "category", event.category);
    append_key(out, "payload");
    out += event.payload;
    append_member(out, "org_id", event.scope.org_id);
    append_member(out, "home_id", event.scope.home_id);
    append_member(out, "subject_id", event.scope.subject_id);
    append_member(out, "stream_id", event.stream_id);
    append_key(out, "room_id");
    if (event.room_id.empty()) {
        out += "null";
    } else {
        append_json(out, event.room_id);
    }
    out += '}';
}

void list_events(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    const auto query = event_query(request, identity);
    if (!query) return reply(report(*context, query.error()));
    answer_from_database(context, reply, [context, query = *query]() -> Result<Response> {
        const auto events = context->services.events.list(query);
        if (!events) return tl::unexpected{events.error()};
        std::string body = "[";
        for (const auto& event : *events) append_event(body, event);
        return json(body + ']');
    });
}

}  // namespace

void add_event_routes(Router& router, const Context& context) {
    router.add({Method::post, "/event", Role::operator_,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    take_events(context, request, identity, false, reply);
                }});
    router.add({Method::post, "/events", Role::operator_,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    take_events(context, request, identity, true, reply);
                }});
    router.add(
        {Method::get, "/events", Role::viewer, [context](const Request& request, const Identity& identity, const Reply& reply) {
             list_events(context, request, identity, reply);
         }});
}

}  // namespace varde::api
