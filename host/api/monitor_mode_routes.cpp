#include "api/json_text.hpp"
#include "api/monitor_mode_text.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Result;
using nlohmann::ordered_json;
using ports::Role;

Result<ports::MonitorModeQuery> mode_query(const Request& request, const Identity& identity) {
    ports::MonitorModeQuery query;
    if (auto scope = scope_value(request, identity))
        query.scope = *scope;
    else
        return tl::unexpected{scope.error()};
    if (auto limit = int_value(request, "limit", 1, 5000, 500))
        query.limit = *limit;
    else
        return tl::unexpected{limit.error()};
    if (auto key = name_value(request, "monitor_key"))
        query.monitor_key = *key;
    else
        return tl::unexpected{key.error()};
    if (auto room = name_value(request, "room_id"))
        query.room_id = *room;
    else
        return tl::unexpected{room.error()};
    return query;
}

Result<Response> list_modes(const RouteContext& context, const ports::MonitorModeQuery& query) {
    const auto rows = context.services.modes.list(query);
    if (!rows) return tl::unexpected{rows.error()};
    auto list = ordered_json::array();
    for (const auto& row : *rows) list.push_back(monitor_mode_json(row));
    return json(ordered_json{{"status", "ok"}, {"rows", std::move(list)}}.dump());
}

/// A text of 1..100 characters of the body, or empty.
std::string text_of(const nlohmann::json& body, const char* key) {
    constexpr std::size_t kMost = 100;
    const auto found = body.find(key);
    if (found == body.end() || !found->is_string()) return {};
    const auto& text = found->get_ref<const std::string&>();
    const auto characters = utf8_characters(text);
    return characters && *characters <= kMost ? text : "";
}

/// The row that a body asks for, without scope, time and author; or the answer that refuses it.
tl::expected<ports::MonitorModeRow, Response> read_row(const Request& request) {
    const auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return tl::unexpected{problem(400, "unreadable JSON")};
    if (!body.is_object()) return tl::unexpected{problem(422, "the body must be a JSON object")};
    ports::MonitorModeRow row;
    row.monitor_key = text_of(body, "monitor_key");
    if (row.monitor_key.empty()) return tl::unexpected{problem(400, "monitor_key required", "monitor_key")};
    if (const auto room = body.find("room_id"); room != body.end() && !room->is_null()) {
        row.room_id = text_of(body, "room_id");
        if (row.room_id.empty()) return tl::unexpected{problem(422, "room_id must be a text of 1 to 100 characters", "room_id")};
    }
    auto name = text_of(body, "mode");
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    const auto mode = core::monitor_mode_from(name);
    if (!mode) return tl::unexpected{problem(400, fmt::format("invalid mode: {}; ON, TEST or OFF", name), "mode")};
    row.mode = *mode;
    return row;
}

Result<Response> store_row(const RouteContext& context, const ports::MonitorModeRow& row) {
    const auto before = context.services.modes.set(row);
    if (!before) return tl::unexpected{before.error()};
    context.services.log.log(
        ports::LogLevel::info, "api", "monitor_mode_changed", "a rule's mode in a home was set",
        {{"monitor_key", row.monitor_key},
         {"room_id", row.room_id},
         {"scope", ports::Json{ordered_json{
                       {"org_id", row.scope.org_id}, {"home_id", row.scope.home_id}, {"subject_id", row.scope.subject_id}}
                                   .dump()}},
         {"from", std::string{core::name_of(*before)}},
         {"to", std::string{core::name_of(row.mode)}},
         {"by", row.updated_by}});
    auto answer = monitor_mode_json(row);
    answer["status"] = "ok";
    // A key that no rule has is kept, as in the reference, but a slip of the pen should be seen.
    answer["known_rule"] = context.services.rules()->rules.contains(row.monitor_key);
    return json(answer.dump());
}

void post_mode(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    auto row = read_row(request);
    if (!row) return reply(row.error());
    const auto scope = home_value(request, identity);
    if (!scope) return reply(report(*context, scope.error()));
    row->scope = *scope;
    row->updated_at = context->services.clock.now();
    row->updated_by = identity.name;
    answer_from_database(context, reply, [context, row = std::move(*row)] { return store_row(*context, row); });
}

}  // namespace

void add_monitor_mode_routes(Router& router, const Context& context) {
    router.add({Method::get, "/monitor_modes", Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    const auto query = mode_query(request, identity);
                    if (!query) return reply(report(*context, query.error()));
                    answer_from_database(context, reply, [context, query = *query] { return list_modes(*context, query); });
                }});
    router.add({Method::post, "/monitor_modes", Role::operator_,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    post_mode(context, request, identity, reply);
                }});
}

}  // namespace varde::api
