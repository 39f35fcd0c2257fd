#include "api/problem.hpp"
#include "api/schedule_text.hpp"
#include "api/scheduling_call.hpp"
#include "config/calendar_definition.hpp"
#include "config/ics_calendar.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Calendar;
using core::Errc;
using core::Result;
using nlohmann::ordered_json;
using ports::Role;

std::string id_of(const SchedulingCall& call) { return std::string{call.request.name}; }

/// Ids are those of an organisation: who says none means "default".
std::string org_of(const SchedulingCall& call) { return call.org_id.empty() ? Calendar{}.org_id : call.org_id; }

Response answer(const Calendar& calendar, int status = 200) {
    auto response = json(calendar_row_json(calendar), status);
    response.headers.emplace_back("ETag", fmt::format("\"{}\"", calendar.version));
    return response;
}

Result<Response> list(const SchedulingCall& call) {
    const auto found = call.on.calendars->list(call.org_id);
    if (!found) return tl::unexpected{found.error()};
    auto rows = ordered_json::array();
    for (const auto& calendar : *found) rows.push_back(calendar_row_json(calendar));
    return json({{"status", "ok"}, {"rows", std::move(rows)}});
}

Result<Response> show(const SchedulingCall& call) {
    const auto found = call.on.calendars->find(id_of(call), org_of(call));
    if (!found) return tl::unexpected{found.error()};
    return answer(*found);
}

/// Of which version the request means to change it; nullopt: of any; -1: of none that there ever is.
std::optional<std::int64_t> version_wanted(const Request& request) {
    const auto text = request.if_match;
    if (text.empty() || text == "*") return std::nullopt;
    std::int64_t version = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + 1, end, version);
    if (text.front() != '"' || read.ec != std::errc{} || read.ptr + 1 != end || *read.ptr != '"') return -1;
    return version;
}

/// What the body defines, or the answer that refuses it.
tl::expected<Calendar, Response> body_calendar(const Request& request) {
    const auto refused = [](const core::Error& error) { return tl::unexpected{problem(422, error.context)}; };
    if (request.content_type.starts_with("text/calendar")) {
        auto calendar = config::read_ics(request.body);
        if (!calendar) return refused(calendar.error());
        return *calendar;
    }
    const auto body = body_object(request);
    if (!body) return tl::unexpected{body.error()};
    auto calendar = config::read_calendar(*body);
    if (!calendar) return refused(calendar.error());
    return *calendar;
}

Result<Response> put(const SchedulingCall& call) {
    auto calendar = body_calendar(call.request);
    if (!calendar) return calendar.error();
    if (!calendar->calendar_id.empty() && calendar->calendar_id != call.request.name) {
        return problem(422, "id: must be that of the path, or left out", "id");
    }
    calendar->calendar_id = id_of(call);
    calendar->org_id = org_of(call);
    if (!config::is_id(calendar->calendar_id) || calendar->calendar_id.size() > 100) {
        return problem(422, "the id in the path may have letters, digits and . _ - : only, and at most 100 of them", "id");
    }
    const auto stored = call.on.calendars->put(std::move(*calendar), version_wanted(call.request), call.by);
    if (!stored && stored.error().code == Errc::conflict) return problem(412, stored.error().context);
    if (!stored) return tl::unexpected{stored.error()};
    return answer(*stored, stored->version == 1 ? 201 : 200);
}

Result<Response> remove(const SchedulingCall& call) {
    const auto version = version_wanted(call.request);
    const auto current = call.on.calendars->find(id_of(call), org_of(call));
    if (current && version && current->version != *version) {
        return problem(412, fmt::format("the calendar has version {}: read it again", current->version));
    }
    const auto removed = call.on.calendars->remove(id_of(call), org_of(call), version, call.by);
    if (!removed) return tl::unexpected{removed.error()};
    Response response;
    response.status = 204;
    return response;
}

/// Only where there are calendars.
template <SchedulingAction action>
Result<Response> guarded(const SchedulingCall& call) {
    if (call.on.calendars == nullptr) return problem(503, "this host has no calendars");
    return action(call);
}

}  // namespace

void add_calendar_routes(Router& router, const Context& context) {
    router.add({Method::get, "/calendars", Role::viewer, scheduling_route(context, guarded<list>)});
    router.add({Method::get, "/calendars/{name}", Role::viewer, scheduling_route(context, guarded<show>)});
    router.add({Method::put, "/calendars/{name}", Role::admin, scheduling_route(context, guarded<put>)});
    router.add({Method::delete_, "/calendars/{name}", Role::admin, scheduling_route(context, guarded<remove>)});
}

}  // namespace varde::api
