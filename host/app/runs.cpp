#include "api/schedule_text.hpp"
#include "app/desk_session.hpp"
#include "app/json_output.hpp"
#include "time/utc_text.hpp"

#include <chrono>
#include <string>

#include <fmt/format.h>

namespace varde::app {
namespace {

using core::Errc;
using core::Result;
using core::Run;

std::string seconds_text(const std::optional<double>& seconds) { return seconds ? fmt::format("{:.3f} s", *seconds) : "-"; }

void print_line(const Run& run) {
    const auto slots = run.slots > 1 || run.more_slots ? fmt::format(" {}{} slots", run.slots, run.more_slots ? "+" : "") : "";
    fmt::print("{:>6}  {:<24} {}  {:<9} {:<9}{}", run.run_id, run.schedule_id, time::format_utc(run.nominal_at),
               core::name_of(run.kind), core::name_of(run.state), slots);
    if (run.attempt > 1) fmt::print("  attempt {}", run.attempt);
    if (run.started_at && run.finished_at) {
        fmt::print("  {:.3f} s", std::chrono::duration<double>(*run.finished_at - *run.started_at).count());
    }
    if (run.reason != core::SlotReason::none) fmt::print("  {}: {}", core::name_of(run.reason), core::sentence_of(run.reason));
    if (!run.detail.empty()) fmt::print(" ({})", run.detail);
    if (!run.error.empty()) fmt::print("  {}", run.error);
    fmt::print("\n");
}

int print_run(const Globals& globals, const Result<Run>& run) {
    if (!run) return report(run.error());
    globals.json ? print_json(api::run_json(*run)) : print_line(*run);
    return kOk;
}

Result<void> read_states(const RunsOptions& options, ports::RunQuery& query) {
    for (const auto& name : options.states) {
        const auto state = core::run_state_from(name);
        if (!state) return core::fail(Errc::invalid_argument, fmt::format("--state: there is no state '{}'", name));
        query.states.push_back(*state);
    }
    if (!options.reason.empty()) {
        query.reason = core::slot_reason_from(options.reason);
        if (!query.reason) return core::fail(Errc::invalid_argument, fmt::format("--reason: there is no '{}'", options.reason));
    }
    if (!options.kind.empty()) {
        query.kind = core::slot_kind_from(options.kind);
        if (!query.kind) return core::fail(Errc::invalid_argument, "--kind must be scheduled, manual, event or after");
    }
    return {};
}

Result<ports::RunQuery> query_of(const RunsOptions& options) {
    ports::RunQuery query;
    query.org_id = options.org;
    query.before = options.before;
    query.limit = options.limit;
    if (!options.schedule_id.empty()) query.schedule_id = options.schedule_id;
    if (auto states = read_states(options, query); !states) return tl::unexpected{states.error()};
    const auto since = instant_option("--since", options.since);
    if (!since) return tl::unexpected{since.error()};
    const auto until = instant_option("--until", options.until);
    if (!until) return tl::unexpected{until.error()};
    query.since = *since;
    query.until = *until;
    return query;
}

void print_statistics(const ports::RunStatistics& counted) {
    fmt::print("{} rows", counted.total);
    for (const auto& [state, count] : counted.by_state) {
        if (count > 0) fmt::print(", {} {}", count, core::name_of(state));
    }
    fmt::print("\n{} slots were left out\nsuccess rate {:.1f} %", counted.skipped_slots, counted.success_rate);
    if (counted.success_rate_finished) fmt::print(", of those that ran to an end {:.1f} %", *counted.success_rate_finished);
    fmt::print("\nduration: average {}, minimum {}, median {}, 95 % within {}, maximum {}\n", seconds_text(counted.average_s),
               seconds_text(counted.minimum_s), seconds_text(counted.median_s), seconds_text(counted.p95_s),
               seconds_text(counted.maximum_s));
}

}  // namespace

int runs_list(const Globals& globals, const RunsOptions& options) {
    const auto query = query_of(options);
    if (!query) return report(query.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto rows = session.storage.runs().list(*query);
        if (!rows) return report(rows.error());
        for (const auto& row : *rows) globals.json ? print_json(api::run_json(row)) : print_line(row);
        if (rows->empty() && !globals.json) fmt::print("there is no such run\n");
        return kOk;
    });
}

int runs_show(const Globals& globals, const RunsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        const auto run = session.storage.runs().find(options.id, options.org);
        if (!run) return report(run.error());
        if (globals.json) return print_run(globals, run);
        fmt::print("{}\n", api::run_json(*run).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return kOk;
    });
}

int runs_cancel(const Globals& globals, const RunsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) {
        return print_run(globals, session.desk.cancel(options.id, options.org, options.by));
    });
}

int runs_retry(const Globals& globals, const RunsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) {
        return print_run(globals, session.desk.retry(options.id, options.org, options.by));
    });
}

int runs_stats(const Globals& globals, const RunsOptions& options) {
    auto query = query_of(options);
    if (!query) return report(query.error());
    return with_desk(globals, [&](DeskSession& session) -> int {
        if (!query->since) query->since = session.clock.now() - std::chrono::days{options.days};
        const auto counted = session.storage.runs().statistics(*query);
        if (!counted) return report(counted.error());
        globals.json ? print_json(api::statistics_json(*counted)) : print_statistics(*counted);
        return kOk;
    });
}

int runs_cleanup(const Globals& globals, const RunsOptions& options) {
    return with_desk(globals, [&](DeskSession& session) -> int {
        constexpr std::int64_t kStep = 1'000;  // others can write in between
        const auto before = session.clock.now() - std::chrono::days{options.days};
        std::int64_t deleted = 0;
        for (;;) {
            const auto step = session.storage.runs().cleanup(before, options.org, kStep);
            if (!step) return report(step.error());
            deleted += *step;
            if (*step < kStep) break;
        }
        if (globals.json) {
            print_json({{"deleted", deleted}});
        } else {
            fmt::print("{} runs that ended before {} deleted\n", deleted, time::format_utc(before));
        }
        return kOk;
    });
}

}  // namespace varde::app
