#pragma once
#include "schedule/slot_decision.hpp"
#include "schedule/trigger_times.hpp"
#include "time/utc_text.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace due {

using namespace varde;

inline core::Instant at(std::string_view text) { return time::parse_utc(text).value(); }

inline core::Schedule cron(std::string expression, std::string zone = "UTC") {
    core::Schedule schedule;
    schedule.schedule_id = "s";
    schedule.kind = "noop";
    schedule.trigger.kind = core::TriggerKind::cron;
    schedule.trigger.expression = std::move(expression);
    schedule.trigger.zone = std::move(zone);
    return schedule;
}

inline core::Schedule every(core::Microseconds period, core::Instant anchor) {
    auto schedule = cron("");
    schedule.trigger.kind = core::TriggerKind::interval;
    schedule.trigger.period = period;
    schedule.trigger.anchor = anchor;
    return schedule;
}

/// Nominal times of the rows that are to be run.
inline std::vector<core::Instant> fires(const ports::DueDecision& decision) {
    std::vector<core::Instant> found;
    for (const auto& run : decision.runs) {
        if (!core::is_terminal(run.state)) found.push_back(run.nominal_at);
    }
    return found;
}

/// The rows of a reason.
inline std::vector<core::Run> left_out(const ports::DueDecision& decision, core::SlotReason reason) {
    std::vector<core::Run> found;
    std::ranges::copy_if(decision.runs, std::back_inserter(found), [&](const core::Run& run) { return run.reason == reason; });
    return found;
}

}  // namespace due
