#include "api/problem.hpp"
#include "api/schedule_text.hpp"
#include "api/scheduling_call.hpp"

#include <chrono>
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
using nlohmann::ordered_json;
using ports::Role;

/// Each `state` of the query, which may be several with commas between them.
Result<std::vector<core::RunState>> state_values(const Request& request) {
    std::vector<core::RunState> states;
    for (const auto& [key, value] : request.query) {
        if (key != "state") continue;
        std::string_view rest = value;
        for (;;) {
            const auto comma = rest.find(',');
            const auto state = core::run_state_from(rest.substr(0, comma));
            if (!state) {
                return core::fail(Errc::invalid_argument,
                                  "state must be waiting, pending, running, success, failed, cancelled, "
                                  "skipped, timed_out or abandoned, or some of them with commas between");
            }
            states.push_back(*state);
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return states;
}

/// 0: not given.
Result<std::int64_t> before_value(const Request& request) {
    const auto* const text = request.find("before");
    if (text == nullptr) return 0;
    const bool digits = !text->empty() && text->size() <= 18 && text->find_first_not_of("0123456789") == std::string::npos;
    const auto id = digits ? std::stoll(*text) : 0;
    if (id < 1) return core::fail(Errc::invalid_argument, "before must be the run_id of the last run seen");
    return id;
}

Result<void> read_names(const Request& request, ports::RunQuery& query) {
    for (const auto& [key, part] : {std::pair{"schedule_id", &query.schedule_id}, std::pair{"job_kind", &query.job_kind}}) {
        const auto value = name_value(request, key);
        if (!value) return tl::unexpected{value.error()};
        *part = *value;
    }
    if (const auto* const text = request.find("reason")) {
        query.reason = core::slot_reason_from(*text);
        if (!query.reason || text->empty()) {
            return core::fail(Errc::invalid_argument, "reason must be one of docs/schedules.md, such as misfire or overlap");
        }
    }
    if (const auto* const text = request.find("kind")) {
        query.kind = core::slot_kind_from(*text);
        if (!query.kind) return core::fail(Errc::invalid_argument, "kind must be scheduled, manual, event or after");
    }
    return {};
}

/// Without before and limit.
Result<ports::RunQuery> run_query(const SchedulingCall& call) {
    ports::RunQuery query;
    query.org_id = call.org_id;
    if (auto names = read_names(call.request, query); !names) return tl::unexpected{names.error()};
    auto states = state_values(call.request);
    if (!states) return tl::unexpected{states.error()};
    query.states = std::move(*states);
    for (const auto& [key, part] : {std::pair{"since", &query.since}, std::pair{"until", &query.until}}) {
        const auto at = time_value(call.request, key);
        if (!at) return tl::unexpected{at.error()};
        *part = *at;
    }
    return query;
}

Result<Response> list(const SchedulingCall& call) {
    auto query = run_query(call);
    if (!query) return tl::unexpected{query.error()};
    const auto before = before_value(call.request);
    if (!before) return tl::unexpected{before.error()};
    const auto limit = int_value(call.request, "limit", 1, 500, 20);
    if (!limit) return tl::unexpected{limit.error()};
    query->before = *before;
    query->limit = *limit + 1;  // whether there is another page
    auto found = call.on.runs.list(*query);
    if (!found) return tl::unexpected{found.error()};
    const bool more = std::ssize(*found) > *limit;
    if (more) found->pop_back();
    auto rows = ordered_json::array();
    for (const auto& run : *found) rows.push_back(run_json(run));
    return json({{"status", "ok"}, {"rows", std::move(rows)}, {"next", more ? ordered_json(found->back().run_id) : nullptr}});
}

Result<Response> answer_of(const Result<core::Run>& run, int status = 200) {
    if (!run) return tl::unexpected{run.error()};
    return json(run_json(*run), status);
}

Result<Response> show(const SchedulingCall& call) { return answer_of(call.on.runs.find(call.request.id, call.org_id)); }

Result<Response> cancel(const SchedulingCall& call) {
    return answer_of(call.on.control.cancel(call.request.id, call.org_id, call.by));
}

Result<Response> retry(const SchedulingCall& call) {
    return answer_of(call.on.control.retry(call.request.id, call.org_id, call.by), 201);
}

Result<Response> statistics(const SchedulingCall& call) {
    auto query = run_query(call);
    if (!query) return tl::unexpected{query.error()};
    if (call.request.find("days") != nullptr && query->since) {
        return core::fail(Errc::invalid_argument, "give either since or days");
    }
    const auto days = int_value(call.request, "days", 1, 3650, 7);
    if (!days) return tl::unexpected{days.error()};
    if (!query->since) query->since = call.context.services.clock.now() - std::chrono::days{*days};
    const auto counted = call.on.runs.statistics(*query);
    if (!counted) return tl::unexpected{counted.error()};
    return json(statistics_json(*counted));
}

/// Deletes in steps, so that others can write in between.
Result<Response> cleanup(const SchedulingCall& call) {
    constexpr int kMostDays = 36'500;
    constexpr std::int64_t kStep = 1'000;
    const auto body = body_object(call.request, true);
    if (!body) return body.error();
    for (const auto& [key, value] : body->items()) {
        if (key != "days") return problem(422, "the body may have `days` only", key);
    }
    const auto days = body->value("days", nlohmann::json(90));
    if (!days.is_number_integer() || days.get<double>() < 0 || days.get<double>() > kMostDays) {
        return problem(422, fmt::format("days must be a whole number from 0 to {}", kMostDays), "days");
    }
    const auto before = call.context.services.clock.now() - std::chrono::days{days.get<int>()};
    std::int64_t deleted = 0;
    for (;;) {
        const auto step = call.on.runs.cleanup(before, call.org_id, kStep);
        if (!step) return tl::unexpected{step.error()};
        deleted += *step;
        if (*step < kStep) return json({{"status", "ok"}, {"deleted", deleted}});
    }
}

Result<Response> explain(const SchedulingCall& call) {
    const auto schedule = name_value(call.request, "schedule");
    if (!schedule) return tl::unexpected{schedule.error()};
    if (!*schedule) return core::fail(Errc::invalid_argument, "schedule is missing: the id of the schedule");
    const auto at = time_value(call.request, "at");
    if (!at) return tl::unexpected{at.error()};
    const auto explained = call.on.control.explain(**schedule, call.org_id, at->value_or(call.context.services.clock.now()));
    if (!explained) return tl::unexpected{explained.error()};
    return json(slot_explanation_json(*explained));
}

Result<Response> job_kinds(const SchedulingCall& call) {
    auto rows = ordered_json::array();
    for (const auto& [name, summary] : call.on.control.job_kinds()) rows.push_back({{"name", name}, {"summary", summary}});
    return json({{"status", "ok"}, {"rows", std::move(rows)}});
}

Result<Response> job_hosts(const SchedulingCall& call) {
    const auto hosts = call.on.runs.hosts();
    if (!hosts) return tl::unexpected{hosts.error()};
    auto rows = ordered_json::array();
    for (const auto& host : *hosts) rows.push_back(job_host_json(host));
    return json({{"status", "ok"}, {"rows", std::move(rows)}});
}

}  // namespace

void add_run_routes(Router& router, const Context& context) {
    const auto with = [&context](SchedulingAction action) { return scheduling_route(context, action); };
    router.add({Method::get, "/runs", Role::viewer, with(list)});
    router.add({Method::get, "/runs/stats", Role::viewer, with(statistics)});
    router.add({Method::post, "/runs/cleanup", Role::admin, with(cleanup)});
    router.add({Method::get, "/runs/{id}", Role::viewer, with(show)});
    router.add({Method::post, "/runs/{id}/cancel", Role::operator_, with(cancel)});
    router.add({Method::post, "/runs/{id}/retry", Role::operator_, with(retry)});
    router.add({Method::get, "/explain", Role::viewer, with(explain)});
    router.add({Method::get, "/job_kinds", Role::viewer, with(job_kinds)});
    router.add({Method::get, "/job_hosts", Role::viewer, with(job_hosts)});
}

}  // namespace varde::api
