#include "api/problem.hpp"
#include "api/schedule_text.hpp"
#include "api/scheduling_call.hpp"
#include "config/schedule_definition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using core::Errc;
using core::Result;
using core::Schedule;
using nlohmann::ordered_json;
using ports::Role;
using ports::ScheduleAction;
using Body = nlohmann::json;

std::string id_of(const SchedulingCall& call) { return std::string{call.request.name}; }

std::string tag_of(const Schedule& schedule) { return fmt::format("\"{}\"", schedule.version); }

Response answer(const Schedule& schedule, int status = 200) {
    auto response = json(schedule_json(schedule), status);
    response.headers.emplace_back("ETag", tag_of(schedule));
    return response;
}

Result<Response> answer_of(const Result<Schedule>& schedule) {
    if (!schedule) return tl::unexpected{schedule.error()};
    return answer(*schedule);
}

// --- lists -------------------------------------------------------------------------------------------------------------------

/// "1768478400000000~nightly", for the client a text without meaning.
std::string cursor_of(const Schedule& schedule) {
    return fmt::format("{}~{}", core::to_us(schedule.created_at), schedule.schedule_id);
}

Result<std::optional<ports::ScheduleQuery::Place>> place_value(const Request& request) {
    const auto* const text = request.find("after");
    if (text == nullptr) return std::nullopt;
    std::int64_t us = 0;
    const auto* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, us);
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '~') {
        return core::fail(Errc::invalid_argument, "after must be the `next` of the page before");
    }
    return ports::ScheduleQuery::Place{core::instant_from_us(us), std::string{read.ptr + 1, end}};
}

Result<ports::ScheduleQuery> schedule_query(const SchedulingCall& call) {
    ports::ScheduleQuery query;
    query.org_id = call.org_id;
    for (const auto& [key, part] : {std::pair{"kind", &query.kind}, std::pair{"source", &query.source},
                                    std::pair{"q", &query.name_contains}, std::pair{"label", &query.label}}) {
        const auto value = name_value(call.request, key);
        if (!value) return tl::unexpected{value.error()};
        *part = *value;
    }
    if (query.label && query.label->find('=') == std::string::npos) {
        return core::fail(Errc::invalid_argument, "label must be KEY=VALUE");
    }
    if (const auto* const state = call.request.find("state")) {
        query.state = core::schedule_state_from(*state);
        if (!query.state) return core::fail(Errc::invalid_argument, "state must be active, paused, disabled or completed");
    }
    auto place = place_value(call.request);
    if (!place) return tl::unexpected{place.error()};
    query.after = std::move(*place);
    return query;
}

Result<Response> list(const SchedulingCall& call) {
    auto query = schedule_query(call);
    if (!query) return tl::unexpected{query.error()};
    const auto limit = int_value(call.request, "limit", 1, 500, 20);
    if (!limit) return tl::unexpected{limit.error()};
    query->limit = *limit + 1;  // whether there is another page
    auto found = call.on.schedules.list(*query);
    if (!found) return tl::unexpected{found.error()};
    const bool more = std::ssize(*found) > *limit;
    if (more) found->pop_back();
    auto rows = ordered_json::array();
    for (const auto& schedule : *found) rows.push_back(schedule_json(schedule));
    return json({{"status", "ok"}, {"rows", std::move(rows)}, {"next", more ? ordered_json(cursor_of(found->back())) : nullptr}});
}

Result<Response> answer_ids(const std::vector<std::string>& ids) { return json({{"status", "ok"}, {"rows", ids}}); }

/// What it waits for; with transitive=true also what that waits for, and so on, the nearest first.
Result<Response> dependencies(const SchedulingCall& call) {
    const auto transitive = bool_value(call.request, "transitive");
    if (!transitive) return tl::unexpected{transitive.error()};
    const auto schedule = call.on.schedules.find(id_of(call), call.org_id);
    if (!schedule) return tl::unexpected{schedule.error()};
    auto ids = schedule->policy.depends_on;
    for (std::size_t i = 0; *transitive && i < ids.size(); ++i) {
        const auto next = call.on.schedules.find(ids[i], call.org_id);
        if (!next && next.error().code == Errc::not_found) continue;  // deleted by force
        if (!next) return tl::unexpected{next.error()};
        for (const auto& id : next->policy.depends_on) {
            if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
        }
    }
    return answer_ids(ids);
}

Result<Response> dependents(const SchedulingCall& call) {
    const auto transitive = bool_value(call.request, "transitive");
    if (!transitive) return tl::unexpected{transitive.error()};
    if (const auto schedule = call.on.schedules.find(id_of(call), call.org_id); !schedule) return answer_of(schedule);
    const auto ids = call.on.schedules.dependents(id_of(call), *transitive);
    if (!ids) return tl::unexpected{ids.error()};
    return answer_ids(*ids);
}

// --- definitions -------------------------------------------------------------------------------------------------------------

/// Jobs that touch what belongs to other organisations, or to the host, are for who is limited to none.
Result<Schedule> within_reach(const SchedulingCall& call, Result<Schedule> wanted) {
    if (!wanted || call.everywhere || !call.on.control.reaches_beyond_org(*wanted)) return wanted;
    return core::fail(
        Errc::forbidden,
        fmt::format("Forbidden: with these params a job of kind {} reaches beyond the token's organisation", wanted->kind));
}

Result<Response> create(const SchedulingCall& call) {
    const auto body = body_object(call.request);
    if (!body) return body.error();
    auto wanted = config::read_schedule(*body, call.on.control.defaults());
    if (!wanted) return body_fault(wanted.error());
    wanted = within_reach(call, std::move(wanted));
    if (!wanted) return tl::unexpected{wanted.error()};
    if (!call.org_id.empty()) wanted->org_id = call.org_id;
    const auto made = call.on.control.create(std::move(*wanted), call.by);
    if (!made) return body_fault(made.error());
    return answer(*made, 201);
}

Result<Response> show(const SchedulingCall& call) { return answer_of(call.on.schedules.find(id_of(call), call.org_id)); }

/// What is wrong with the request's If-Match; nullopt: nothing.
std::optional<Response> stale(const Request& request, const Schedule& current) {
    const auto wanted = request.if_match;
    if (wanted.empty() || wanted == "*" || wanted == tag_of(current)) return std::nullopt;
    return problem(412, fmt::format("the schedule has version {}: read it again", current.version));
}

/// One that is owned elsewhere stays so: its owner brings its own definition back.
Result<Schedule> as_changed(Result<Schedule> wanted, const Schedule& current) {
    if (!wanted) return wanted;
    if (!wanted->schedule_id.empty() && wanted->schedule_id != current.schedule_id) {
        return core::fail(Errc::invalid_argument, "id: cannot be changed; leave it out, or make another schedule");
    }
    wanted->schedule_id = current.schedule_id;
    wanted->org_id = current.org_id;
    wanted->source = current.source;
    return wanted;
}

/// The patch over the definition as it is. Another kind of trigger takes the place of the whole old one: what belongs to that, such as a
/// time zone, means nothing there.
Body patched(const Schedule& current, const Body& patch) {
    auto definition = Body::parse(config::definition_json(current).dump());
    const auto trigger = patch.find("trigger");
    const auto old_kind = definition["trigger"].begin().key();
    constexpr std::array<std::string_view, 6> kKinds{"cron", "every", "at", "event", "after_success", "manual"};
    const bool other = trigger != patch.end() && trigger->is_object() && std::ranges::any_of(kKinds, [&](std::string_view kind) {
                           return kind != old_kind && trigger->contains(kind) && !(*trigger)[std::string{kind}].is_null();
                       });
    if (other || patch.contains("frequency") || patch.contains("time_config")) definition.erase("trigger");
    definition.merge_patch(patch);
    return definition;
}

using Wish = std::function<Result<Schedule>(const Schedule& current, const Body& body)>;

Result<Response> change(const SchedulingCall& call, const Wish& wish) {
    const auto body = body_object(call.request);
    if (!body) return body.error();
    std::optional<Response> too_late;
    bool found = false;
    const auto changed = call.on.control.edit(
        id_of(call), call.org_id,
        [&](const Schedule& current) -> Result<Schedule> {
            found = true;
            too_late = stale(call.request, current);
            if (too_late) return core::fail(Errc::conflict, "If-Match");
            return within_reach(call, as_changed(wish(current, *body), current));
        },
        call.by);
    if (changed) return answer(*changed);
    if (too_late) return *too_late;
    if (found) return body_fault(changed.error());
    return tl::unexpected{changed.error()};
}

Result<Response> replace(const SchedulingCall& call) {
    return change(call,
                  [&call](const Schedule&, const Body& body) { return config::read_schedule(body, call.on.control.defaults()); });
}

Result<Response> patch(const SchedulingCall& call) {
    return change(call, [](const Schedule& current, const Body& body) { return config::read_schedule(patched(current, body)); });
}

Result<Response> remove(const SchedulingCall& call) {
    const auto purge = bool_value(call.request, "purge");
    if (!purge) return tl::unexpected{purge.error()};
    const auto force = bool_value(call.request, "force");
    if (!force) return tl::unexpected{force.error()};
    if (!call.request.if_match.empty()) {
        const auto current = call.on.schedules.find(id_of(call), call.org_id);
        if (!current) return tl::unexpected{current.error()};
        if (auto refused = stale(call.request, *current)) return *refused;
    }
    const auto removed = call.on.control.remove(id_of(call), call.org_id, *purge, *force, call.by);
    if (!removed) return tl::unexpected{removed.error()};
    Response response;
    response.status = 204;
    return response;
}

// --- actions -----------------------------------------------------------------------------------------------------------------

template <ScheduleAction action>
Result<Response> act(const SchedulingCall& call) {
    return answer_of(call.on.control.act(id_of(call), call.org_id, action, call.by));
}

Result<Response> resume(const SchedulingCall& call) {
    const auto catch_up = bool_value(call.request, "catch_up");
    if (!catch_up) return tl::unexpected{catch_up.error()};
    return *catch_up ? act<ScheduleAction::resume_catch_up>(call) : act<ScheduleAction::resume_skip>(call);
}

/// 409, with the run that is in the way.
Result<Response> refuse_run(const SchedulingCall& call, const core::Error& error) {
    ports::RunQuery query;
    query.org_id = call.org_id;
    query.schedule_id = id_of(call);
    query.states = {core::RunState::waiting, core::RunState::pending, core::RunState::running};
    query.limit = 1;
    const auto live = call.on.runs.list(query);
    if (!live || live->empty()) return tl::unexpected{error};
    auto response = problem(409, error.context);
    auto body = ordered_json::parse(response.body);
    body["run_id"] = live->front().run_id;
    response.body = body.dump();
    return response;
}

Result<Response> run_now(const SchedulingCall& call) {
    const auto body = body_object(call.request, true);
    if (!body) return body.error();
    for (const auto& [key, value] : body->items()) {
        if (key != "input") return problem(422, "the body may have `input` only", key);
    }
    ports::ManualRun manual;
    if (const auto input = body->find("input"); input != body->end() && !input->is_null()) {
        // It goes over the params, so it takes what changing them takes.
        if (call.role < Role::admin) return core::fail(Errc::forbidden, "Forbidden: a run with an input needs the role admin");
        if (!input->is_object()) return problem(422, "input must be a JSON object", "input");
        manual.input = input->dump(-1, ' ', false, Body::error_handler_t::replace);
    }
    if (!manual.input.empty() && !call.everywhere) {
        auto schedule = call.on.schedules.find(id_of(call), call.org_id);
        if (!schedule) return tl::unexpected{schedule.error()};
        auto params = Body::parse(schedule->params, nullptr, false);
        params.merge_patch(Body::parse(manual.input, nullptr, false));
        schedule->params = params.dump(-1, ' ', false, Body::error_handler_t::replace);
        if (auto allowed = within_reach(call, std::move(*schedule)); !allowed) return tl::unexpected{allowed.error()};
    }
    manual.idempotency_key = call.request.idempotency_key;
    manual.by = call.by;
    const auto run = call.on.control.run_now(id_of(call), call.org_id, manual);
    if (!run && run.error().code == Errc::conflict) return refuse_run(call, run.error());
    if (!run) return tl::unexpected{run.error()};
    return json(run_json(run->first), run->second ? 201 : 200);
}

// --- what is to come ---------------------------------------------------------------------------------------------------------

Result<Response> answer_preview(const SchedulingCall& call, const Schedule& schedule) {
    const auto count = int_value(call.request, "count", 1, 1000, 10);
    if (!count) return tl::unexpected{count.error()};
    const auto after = time_value(call.request, "after");
    if (!after) return tl::unexpected{after.error()};
    const auto slots = call.on.control.preview(schedule, *after, *count);
    if (!slots) return tl::unexpected{slots.error()};
    auto rows = ordered_json::array();
    for (const auto& slot : *slots) rows.push_back(planned_slot_json(slot));
    return json({{"status", "ok"}, {"rows", std::move(rows)}});
}

Result<Response> preview(const SchedulingCall& call) {
    const auto schedule = call.on.schedules.find(id_of(call), call.org_id);
    if (!schedule) return tl::unexpected{schedule.error()};
    return answer_preview(call, *schedule);
}

Result<Response> preview_definition(const SchedulingCall& call) {
    const auto body = body_object(call.request);
    if (!body) return body.error();
    auto schedule = config::read_schedule(*body, call.on.control.defaults());
    if (!schedule) return body_fault(schedule.error());
    if (!call.org_id.empty()) schedule->org_id = call.org_id;  // its calendars
    if (const auto sound = call.on.control.check(*schedule); !sound) return body_fault(sound.error());
    return answer_preview(call, *schedule);
}

}  // namespace

void add_schedule_routes(Router& router, const Context& context) {
    const auto with = [&context](SchedulingAction action) { return scheduling_route(context, action); };
    router.add({Method::get, "/schedules", Role::viewer, with(list)});
    router.add({Method::post, "/schedules", Role::admin, with(create)});
    router.add({Method::post, "/schedules/preview", Role::viewer, with(preview_definition)});
    router.add({Method::get, "/schedules/{name}", Role::viewer, with(show)});
    router.add({Method::put, "/schedules/{name}", Role::admin, with(replace)});
    router.add({Method::patch, "/schedules/{name}", Role::admin, with(patch)});
    router.add({Method::delete_, "/schedules/{name}", Role::admin, with(remove)});
    router.add({Method::get, "/schedules/{name}/preview", Role::viewer, with(preview)});
    router.add({Method::get, "/schedules/{name}/dependencies", Role::viewer, with(dependencies)});
    router.add({Method::get, "/schedules/{name}/dependents", Role::viewer, with(dependents)});
    router.add({Method::post, "/schedules/{name}/enable", Role::operator_, with(act<ScheduleAction::enable>)});
    router.add({Method::post, "/schedules/{name}/disable", Role::operator_, with(act<ScheduleAction::disable>)});
    router.add({Method::post, "/schedules/{name}/pause", Role::operator_, with(act<ScheduleAction::pause>)});
    router.add({Method::post, "/schedules/{name}/resume", Role::operator_, with(resume)});
    router.add({Method::post, "/schedules/{name}/run", Role::operator_, with(run_now)});
}

}  // namespace varde::api
