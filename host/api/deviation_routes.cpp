#include "api/problem.hpp"
#include "api/routes.hpp"
#include "deviation/life_cycle.hpp"
#include "time/utc_text.hpp"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using ports::Role;

Result<ports::DeviationQuery> deviation_query(const Request& request, const Identity& identity) {
    ports::DeviationQuery query;
    if (auto scope = scope_value(request, identity))
        query.scope = *scope;
    else
        return tl::unexpected{scope.error()};
    if (auto limit = int_value(request, "limit", 1, 500, 50))
        query.limit = *limit;
    else
        return tl::unexpected{limit.error()};
    if (auto key = name_value(request, "subject_key"))
        query.subject_key = *key;
    else
        return tl::unexpected{key.error()};
    if (auto rule = name_value(request, "rule_id"))
        query.rule_id = *rule;
    else
        return tl::unexpected{rule.error()};
    if (const auto* const text = request.find("status")) {
        query.status = core::deviation_status_from(*text);
        if (!query.status) return core::fail(Errc::invalid_argument, "status must be OPEN, ACK or CLOSED");
    }
    return query;
}

void list_deviations(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    const auto query = deviation_query(request, identity);
    if (!query) return reply(report(*context, query.error()));
    answer_from_database(context, reply, [context, query = *query]() -> Result<Response> {
        const auto rows = context->services.deviations.list(query);
        if (!rows) return tl::unexpected{rows.error()};
        std::string body = "[";
        for (const auto& row : *rows) {
            if (body.size() > 1) body += ',';
            append_row(body, row);
        }
        return json(body + ']');
    });
}

struct Change {
    std::optional<core::DeviationStatus> status;
    deviation::Acknowledgement who;
};

/// What a PATCH asks for, or the answer that refuses it.
tl::expected<Change, Response> read_change(const Request& request, const Identity& identity) {
    const auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return tl::unexpected{problem(400, "unreadable JSON")};
    if (!body.is_object()) return tl::unexpected{problem(422, "the body must be a JSON object")};
    Change change;
    change.who.by = identity.name;
    if (const auto status = body.find("status"); status != body.end() && !status->is_null()) {
        if (status->is_string()) change.status = core::deviation_status_from(status->get_ref<const std::string&>());
        if (!change.status) return tl::unexpected{problem(400, "Invalid status", "status")};
    }
    if (const auto comment = body.find("comment"); comment != body.end() && !comment->is_null()) {
        constexpr std::size_t kMost = 2000;
        if (!comment->is_string() || comment->get_ref<const std::string&>().size() > kMost) {
            return tl::unexpected{problem(422, fmt::format("comment must be a text of at most {} bytes", kMost), "comment")};
        }
        change.who.comment = comment->get<std::string>();
    }
    if (const auto until = body.find("until"); until != body.end() && !until->is_null()) {
        const auto at = time::parse_utc(until->is_string() ? until->get_ref<const std::string&>() : std::string{});
        if (!at) return tl::unexpected{problem(422, "until " + at.error().context, "until")};
        change.who.until = *at;
    }
    return change;
}

/// Only rows of the identity's scope exist for it.
Result<core::Deviation> find_row(const RouteContext& context, std::int64_t id, const core::ScopeFilter& scope) {
    const auto row = context.services.deviations.find(id);
    if (!row) return tl::unexpected{row.error()};
    if (!*row || !scope.admits((*row)->scope)) return core::fail(Errc::not_found, "Deviation not found");
    return **row;
}

Result<Response> apply_change(const RouteContext& context, std::int64_t id, const core::ScopeFilter& scope,
                              const Change& change) {
    auto row = find_row(context, id, scope);
    if (!row) return tl::unexpected{row.error()};
    const auto before = row->status;
    if (change.status && *change.status != before) {
        auto changed = deviation::change_status(*row, *change.status, change.who, context.services.clock.now());
        if (!changed) return tl::unexpected{changed.error()};
        if (auto stored = context.services.deviations.update_if(*changed, before); !stored) {
            return tl::unexpected{stored.error()};
        }
        context.services.log.log(ports::LogLevel::info, "api", "deviation_changed", "a deviation's status was changed",
                                 {{"deviation_id", id},
                                  {"rule_id", changed->rule_id},
                                  {"from", std::string{core::name_of(before)}},
                                  {"to", std::string{core::name_of(*change.status)}},
                                  {"by", change.who.by}});
        row = std::move(changed);
    }
    std::string body;
    append_row(body, *row);
    return json(std::move(body));
}

void patch_deviation(const Context& context, const Request& request, const Identity& identity, const Reply& reply) {
    const auto change = read_change(request, identity);
    if (!change) return reply(change.error());
    answer_from_database(context, reply, [context, id = request.id, scope = identity.scope, change = *change] {
        return apply_change(*context, id, scope, change);
    });
}

}  // namespace

void add_deviation_routes(Router& router, const Context& context) {
    router.add({Method::get, "/deviations", Role::viewer,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    list_deviations(context, request, identity, reply);
                }});
    router.add({Method::patch, "/deviations/{id}", Role::operator_,
                [context](const Request& request, const Identity& identity, const Reply& reply) {
                    patch_deviation(context, request, identity, reply);
                }});
}

}  // namespace varde::api
