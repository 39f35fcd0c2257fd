#include "api/problem.hpp"
#include "api/room_text.hpp"
#include "api/routes.hpp"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

// Rooms belong to homes, and several subjects may live in one. So a token that is limited to a subject sees the rooms of its own home only,
// and changes none: it would change what is kept of the others.
namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using nlohmann::ordered_json;
using ports::Role;
using ports::RoomMappingRow;
using ports::RoomRow;

Result<ports::RoomQuery> room_query(const Request& request, const Identity& identity) {
    const auto scope = scope_value(request, identity);
    if (!scope) return tl::unexpected{scope.error()};
    const auto& own = identity.scope;
    if (!own.subject_id.empty() && (own.org_id.empty() || own.home_id.empty())) {
        return core::fail(Errc::forbidden, "Forbidden: rooms belong to homes; the token is limited to a subject of any home");
    }
    const auto limit = int_value(request, "limit", 1, 5000, 500);
    if (!limit) return tl::unexpected{limit.error()};
    return ports::RoomQuery{*scope, *limit};
}

/// The home that a change is about.
Result<core::Scope> changed_home(const Request& request, const Identity& identity) {
    auto home = home_value(request, identity);
    if (home && !identity.scope.subject_id.empty()) {
        return core::fail(Errc::forbidden, "Forbidden: rooms belong to homes; the token is limited to a subject");
    }
    return home;
}

/// As far as the body has it. What is missing or no text stays empty, which fault_of() refuses.
std::string text_in(const nlohmann::json& body, const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::optional<RoomFault> read(const nlohmann::json& body, RoomRow& row) {
    row.room_id = text_in(body, "room_id");
    row.display_name = text_in(body, "display_name");
    return fault_of(row);
}

std::optional<RoomFault> read(const nlohmann::json& body, RoomMappingRow& row) {
    row.entity_id = text_in(body, "entity_id");
    row.room_id = text_in(body, "room_id");
    if (const auto active = body.find("active"); active != body.end()) {
        if (!active->is_boolean()) return RoomFault{"active", "active must be true or false"};
        row.active = active->get<bool>();
    }
    return fault_of(row);
}

void read_key(const Request& request, RoomRow& row) {
    if (const auto* const id = request.find("room_id")) row.room_id = *id;
}

void read_key(const Request& request, RoomMappingRow& row) {
    if (const auto* const id = request.find("entity_id")) row.entity_id = *id;
}

/// The tables have changed: the intake learns of it before the client does, and the log says who it was.
template <class Row>
void tell(const RouteContext& context, const Row& row, const std::string& by, bool removed) {
    const auto& services = context.services;
    if (services.rooms_changed) services.rooms_changed();
    constexpr bool is_room = std::is_same_v<Row, RoomRow>;
    services.log.log(ports::LogLevel::info, "api", is_room ? "room_changed" : "room_mapping_changed",
                     is_room ? "a room of a home was changed" : "which room a sensor is in was changed",
                     {{"row", ports::Json{room_json(row).dump()}}, {"removed", removed}, {"by", by}});
}

template <class Row>
void put(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    const auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return reply(problem(400, "unreadable JSON"));
    if (!body.is_object()) return reply(problem(422, "the body must be a JSON object"));
    Row row;
    if (const auto fault = read(body, row)) return reply(problem(422, fault->problem, fault->field));
    const auto home = changed_home(request, identity);
    if (!home) return reply(report(*context, home.error()));
    row.org_id = home->org_id;
    row.home_id = home->home_id;
    answer_from_database(context, reply, [context, row = std::move(row), by = identity.name]() -> Result<Response> {
        const auto fresh = context->services.rooms.put(row);
        if (!fresh) return tl::unexpected{fresh.error()};
        tell(*context, row, by, false);
        auto answer = room_json(row);
        answer["status"] = "ok";
        answer["created"] = *fresh;
        return json(answer.dump());
    });
}

template <class Row>
void remove(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    Row row;
    read_key(request, row);
    if (const auto fault = fault_of_key(row)) return reply(problem(400, fault->problem, fault->field));
    const auto home = changed_home(request, identity);
    if (!home) return reply(report(*context, home.error()));
    row.org_id = home->org_id;
    row.home_id = home->home_id;
    answer_from_database(context, reply, [context, row = std::move(row), by = identity.name]() -> Result<Response> {
        const auto removed = context->services.rooms.remove(row);
        if (!removed) return tl::unexpected{removed.error()};
        if (!*removed) return core::fail(Errc::not_found, "the home has no such row");
        tell(*context, row, by, true);
        return json(R"({"status":"ok","removed":true})");
    });
}

template <class Rows>
Result<Response> answer_list(const Rows& rows) {
    if (!rows) return tl::unexpected{rows.error()};
    auto list = ordered_json::array();
    for (const auto& row : *rows) list.push_back(room_json(row));
    return json(ordered_json{{"status", "ok"}, {"rows", std::move(list)}}.dump());
}

template <class Row>
void get(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    const auto query = room_query(request, identity);
    if (!query) return reply(report(*context, query.error()));
    answer_from_database(context, reply, [context, query = *query] {
        auto& rooms = context->services.rooms;
        if constexpr (std::is_same_v<Row, RoomRow>) {
            return answer_list(rooms.list_rooms(query));
        } else {
            return answer_list(rooms.list_mappings(query));
        }
    });
}

using Action = void (*)(const Context&, const Request&, const Identity&, const Reply&);

RouteAction with(const Context& context, Action action) {
    return [context, action](const Request& request, const Identity& identity, const Reply& reply) {
        action(context, request, identity, reply);
    };
}

}  // namespace

void add_room_routes(Router& router, const Context& context) {
    router.add({Method::get, "/rooms", Role::viewer, with(context, get<RoomRow>)});
    router.add({Method::put, "/rooms", Role::operator_, with(context, put<RoomRow>)});
    router.add({Method::delete_, "/rooms", Role::operator_, with(context, remove<RoomRow>)});
    router.add({Method::get, "/room_mappings", Role::viewer, with(context, get<RoomMappingRow>)});
    router.add({Method::put, "/room_mappings", Role::operator_, with(context, put<RoomMappingRow>)});
    router.add({Method::delete_, "/room_mappings", Role::operator_, with(context, remove<RoomMappingRow>)});
}

}  // namespace varde::api
