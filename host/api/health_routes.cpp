#include "api/incident_text.hpp"
#include "api/problem.hpp"
#include "api/recent_events.hpp"
#include "api/routes.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace varde::api {
namespace {

using nlohmann::ordered_json;
using ports::Role;

/// The words for the whole: the worst of what was found.
struct Judgement {
    bool error = false;
    std::vector<std::string> reasons;

    void degraded(std::string reason) { reasons.push_back(std::move(reason)); }
    void failed(std::string reason) {
        error = true;
        reasons.push_back(std::move(reason));
    }
    [[nodiscard]] const char* status() const { return error ? "ERROR" : reasons.empty() ? "OK" : "DEGRADED"; }
};

ordered_json run_json(const ports::RunSummary& run) {
    return {{"run_id", run.run_id},
            {"started_at", time::format_utc(run.started_at)},
            {"finished_at", time::format_utc(run.finished_at)},
            {"scopes", run.scopes},
            {"evaluations", run.evaluations},
            {"rules_total", run.counts.rules_total},
            {"rules_ok", run.counts.rules_ok},
            {"rules_failed", run.counts.rules_failed},
            {"rules_gated", run.counts.rules_gated},
            {"deviations_upserted", run.counts.deviations_upserted},
            {"deviations_closed", run.counts.deviations_closed},
            {"error", run.error.empty() ? ordered_json(nullptr) : ordered_json(run.error)}};
}

ordered_json scheduler_json(const RouteContext& context, Judgement& judgement) {
    const auto& runs = context.services.runs;
    const auto last = runs.last_run();
    const bool enabled = runs.scheduler_enabled();
    if (!enabled) judgement.degraded("the scheduler is off");
    if (last && !last->error.empty()) judgement.failed("the last run failed: " + last->error);
    constexpr int kMissed = 3;
    const auto interval = context.services.rules()->interval;
    if (enabled && last && context.services.clock.now() - last->finished_at > kMissed * interval) {
        judgement.failed(fmt::format("no run has finished for more than {} intervals", kMissed));
    }
    return {{"enabled", enabled},
            {"interval_minutes", interval.count()},
            {"last_run", last ? run_json(*last) : ordered_json(nullptr)}};
}

/// Counts are of all organisations: only who is limited to none sees them.
ordered_json schedules_json(const RouteContext& context, const core::ScopeFilter& visible, Judgement& judgement) {
    constexpr std::chrono::seconds kLongest{10};  // a look takes milliseconds, and comes every second
    const auto* const scheduling = context.services.scheduling;
    if (scheduling == nullptr || !scheduling->health) return {{"enabled", false}};
    const auto health = scheduling->health();
    const auto silent = context.services.clock.now() - health.last_look;
    if (!health.working) {
        judgement.failed("schedules are not carried out" + (health.problem.empty() ? "" : ": " + health.problem));
    } else if (silent > kLongest) {
        judgement.failed(fmt::format("no due slots were looked for since {}", time::format_utc(health.last_look)));
    }
    if (health.stuck > 0) judgement.degraded(fmt::format("{} jobs did not stop at their run_timeout", health.stuck));
    ordered_json out{{"enabled", true},           {"working", health.working}, {"host_id", health.host_id},
                     {"workers", health.workers}, {"tzdata", health.tzdata},   {"last_look", time::format_utc(health.last_look)}};
    if (!visible.org_id.empty()) return out;
    out.update({{"busy", health.busy},
                {"stuck", health.stuck},
                {"pending", health.pending},
                {"succeeded", health.succeeded},
                {"failed", health.failed},
                {"left_out", health.left_out}});
    return out;
}

/// Empty for a rule whose answers are used. One that backs off for a moment is none to call somebody for.
std::string out_of_service(const ports::RuleState& state, const core::ScopeFilter& visible) {
    const auto& breaker = state.breaker;
    const auto reason = shared_reason(breaker.reason, visible);
    switch (breaker.state) {
        case core::BreakerState::quarantined:
            return fmt::format("{}: out of service until {}: {}", state.rule_id, time::format_utc(breaker.until), reason);
        case core::BreakerState::probing:
            return fmt::format("{}: out of service while it is tried again: {}", state.rule_id, reason);
        default: return {};
    }
}

ordered_json rules_json(const RouteContext& context, const core::ScopeFilter& visible, Judgement& judgement) {
    auto list = ordered_json::array();
    for (const auto& state : context.services.runs.rule_states()) {
        const auto problem = shared_reason(state.problem, visible);
        if (state.enabled && !problem.empty()) judgement.degraded(fmt::format("{}: {}", state.rule_id, problem));
        if (const auto why = out_of_service(state, visible); state.enabled && !why.empty()) judgement.degraded(why);
        list.push_back({{"rule_id", state.rule_id},
                        {"enabled", state.enabled},
                        {"loaded", state.loaded},
                        {"version", state.version},
                        {"problem", problem.empty() ? ordered_json(nullptr) : ordered_json(problem)},
                        {"breaker", ordered_json::parse(breaker_json(state.breaker, visible))}});
    }
    return list;
}

/// Beyond the first nobody may have moved, or the feed is late; beyond the second it is dead where something reports regularly. The
/// reference's thresholds.
constexpr std::chrono::seconds kLagDegraded{900};
constexpr std::chrono::seconds kLagError{7'200};

std::int64_t seconds_since(core::Instant then, core::Instant now) {
    return std::max(std::int64_t{0}, std::int64_t{std::chrono::floor<std::chrono::seconds>(now - then).count()});
}

/// The age of the newest event that `visible` admits, and the status by it. A silent home is not a broken host: the status of the whole
/// is DEGRADED at most for it.
const char* add_lag(ordered_json& out, const RouteContext& context, const core::ScopeFilter& visible, Judgement& judgement) {
    const auto now = context.services.clock.now();
    ports::EventQuery newest;
    newest.scope = visible;
    newest.before = now + core::Microseconds{1};
    newest.limit = 1;
    const auto found = context.services.events.list(newest);
    out["max_event_ts"] = nullptr;
    out["lag_seconds"] = nullptr;
    out["thresholds"] = {{"degraded_seconds", kLagDegraded.count()}, {"error_seconds", kLagError.count()}};
    if (!found) return "ERROR";  // the database's state says why
    if (found->empty()) {
        judgement.degraded("no event has come in yet");
        return "ERROR";
    }
    const auto lag = seconds_since(found->front().time, now);
    out["max_event_ts"] = time::format_utc(found->front().time);
    out["lag_seconds"] = lag;
    if (lag < kLagDegraded.count()) return "OK";
    judgement.degraded(fmt::format("no event for {} min; the newest is of {}", lag / 60, time::format_utc(found->front().time)));
    return lag < kLagError.count() ? "DEGRADED" : "ERROR";
}

void add_categories(ordered_json& out, core::Instant now, const core::Result<RecentEvents::View>& recent) {
    out["by_category"] = nullptr;
    out["by_category_complete"] = false;
    out["room_id_completeness_24h"] = nullptr;
    if (!recent) return;
    auto list = ordered_json::array();
    const auto rooms_of = [](const CategoryCount& count) -> ordered_json {
        return {
            {"room_id_empty", count.without_room}, {"room_id_set", count.events - count.without_room}, {"total", count.events}};
    };
    ordered_json rooms{{"presence", rooms_of({})}, {"door", rooms_of({})}};
    for (const auto& count : recent->categories) {
        list.push_back({{"category", count.category},
                        {"n_24h", count.events},
                        {"max_ts_24h", time::format_utc(count.newest)},
                        {"lag_seconds", seconds_since(count.newest, now)}});
        if (rooms.contains(count.category)) rooms[count.category] = rooms_of(count);
    }
    out["by_category"] = std::move(list);
    out["by_category_complete"] = recent->complete;
    out["room_id_completeness_24h"] = std::move(rooms);
}

ordered_json ingest_json(const RouteContext& context, const core::ScopeFilter& visible, RecentEvents& recent,
                         Judgement& judgement) {
    if (!context.services.ingest_health) return nullptr;
    const auto health = context.services.ingest_health();
    if (!health.database_ok) judgement.failed("events cannot be stored");
    const bool crowded = health.queued_events * 2 > health.queue_limit;
    if (crowded) judgement.degraded("the queue of events is more than half full");
    ordered_json out{{"status", "OK"}};
    const std::string_view by_lag = add_lag(out, context, visible, judgement);
    if (!health.database_ok || by_lag == "ERROR") {
        out["status"] = "ERROR";
    } else if (crowded || by_lag == "DEGRADED") {
        out["status"] = "DEGRADED";
    }
    const auto now = context.services.clock.now();
    add_categories(out, now, recent.look(now, visible));
    out.update({{"queued_events", health.queued_events},
                {"queue_limit", health.queue_limit},
                {"stored", health.stored},
                {"deduped", health.deduped},
                {"refused", health.refused},
                {"database_ok", health.database_ok}});
    return out;
}

ordered_json isolation_json(const RouteContext& context, Judgement& judgement) {
    const auto& posture = context.services.isolation;
    if (posture.level.empty()) return nullptr;
    if (!posture.holds()) judgement.failed("the sandbox of rules does not hold; see varde doctor");
    auto layers = ordered_json::array();
    for (const auto& layer : posture.layers)
        layers.push_back({{"name", layer.name}, {"present", layer.present}, {"note", layer.note}});
    auto attempts = ordered_json::array();
    for (const auto& attempt : posture.attempts) {
        attempts.push_back(
            {{"name", attempt.name}, {"stopped", attempt.stopped}, {"by", attempt.by}, {"behind", attempt.behind}});
    }
    return {{"level", posture.level},
            {"layers", layers},
            {"attempts", attempts},
            {"problem", posture.problem.empty() ? ordered_json(nullptr) : ordered_json(posture.problem)}};
}

/// That homes are new and not ready yet is nothing to call somebody for; that nobody counts any more is.
ordered_json baseline_json(const RouteContext& context, const core::ScopeFilter& visible, Judgement& judgement) {
    constexpr std::chrono::hours kOldest{36};
    const auto rows = context.services.baselines.list(visible);
    if (!rows) return nullptr;  // the database's state says it
    const auto now = context.services.clock.now();
    const auto ready = std::ranges::count_if(*rows, &core::BaselineStatus::ready);
    const auto old = std::ranges::count_if(*rows, [&](const auto& row) { return now - row.computed_at > kOldest; });
    if (old > 0) judgement.degraded(fmt::format("the baselines of {} homes are older than {} h", old, kOldest.count()));
    return {{"homes", rows->size()}, {"ready", ready}, {"older_than_36_h", old}};
}

Response detail(const RouteContext& context, const core::ScopeFilter& visible, RecentEvents& recent, bool database_reachable) {
    Judgement judgement;
    if (!database_reachable) judgement.failed("the database cannot be reached");
    ordered_json components{{"database", {{"reachable", database_reachable}}}};
    components["ingest"] = ingest_json(context, visible, recent, judgement);
    components["scheduler"] = scheduler_json(context, judgement);
    components["schedules"] = schedules_json(context, visible, judgement);
    components["rules"] = rules_json(context, visible, judgement);
    components["baseline"] = baseline_json(context, visible, judgement);
    components["isolation"] = isolation_json(context, judgement);
    const ordered_json body{{"overall_status", judgement.status()},
                            {"reasons", judgement.reasons},
                            {"server_time", time::format_utc(context.services.clock.now())},
                            {"components", components}};
    return json(body.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

/// The parts of the scope that the token does not limit are null: all.
Response scope_of(const Identity& identity) {
    const auto part = [](const std::string& value) { return value.empty() ? ordered_json(nullptr) : ordered_json(value); };
    const ordered_json body{{"org_id", part(identity.scope.org_id)},
                            {"home_id", part(identity.scope.home_id)},
                            {"subject_id", part(identity.scope.subject_id)},
                            {"role", ports::name_of(identity.role)},
                            {"user_id", identity.name}};
    return json(body.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace

void add_health_routes(Router& router, const Context& context) {
    router.add({Method::get, "/health", std::nullopt,
                [](const Request&, const Identity&, const Reply& reply) { reply(json(R"({"status":"ok"})")); }});
    router.add({Method::get, "/debug/scope", Role::viewer,
                [](const Request&, const Identity& identity, const Reply& reply) { reply(scope_of(identity)); }});
    const auto recent = std::make_shared<RecentEvents>(context->services.events);
    router.add({Method::get, "/health/detail", Role::viewer,
                [context, recent](const Request&, const Identity& identity, const Reply& reply) {
                    // An unreachable database is what this page has to say, not an error of it.
                    answer_from_database(context, reply, [context, recent, visible = identity.scope]() -> core::Result<Response> {
                        return detail(*context, visible, *recent, context->services.rule_rows.list().has_value());
                    });
                }});
}

}  // namespace varde::api
