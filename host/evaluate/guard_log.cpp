#include "evaluate/guard_log.hpp"

#include "evaluate/breaker.hpp"
#include "evaluate/guard_text.hpp"
#include "time/utc_text.hpp"

#include <string>

namespace varde::evaluate {
namespace {

using core::BreakerState;
using ports::LogLevel;

constexpr std::string_view kComponent = "plugins";

void log_out_of_service(ports::LogSink& log, LogLevel level, std::string_view event, std::string_view message,
                        const core::BreakerRecord& record) {
    log.log(level, kComponent, event, message,
            {{"rule_id", record.rule_id},
             {"sha256", record.sha256},
             {"until", time::format_utc(record.until)},
             {"reason", record.reason},
             {"consecutive_failures", static_cast<std::int64_t>(record.consecutive)},
             {"incident_id", record.incident_id},
             {"clear", clear_hint(record.rule_id)}});
}

}  // namespace

void log_breaker_change(ports::LogSink& log, const core::BreakerRecord& before, const core::BreakerRecord& now,
                        std::uint32_t probes) {
    switch (now.state) {
        case BreakerState::backing_off:
            return log_out_of_service(log, LogLevel::warning, "rule_backing_off", "a rule is not asked for a while", now);
        case BreakerState::quarantined:
            return log_out_of_service(log, LogLevel::error, "rule_quarantined", "a rule is out of service", now);
        case BreakerState::probing:
            return log.log(LogLevel::info, kComponent, "rule_probing", "a rule is tried again; its answers are dropped",
                           {{"rule_id", now.rule_id}, {"sha256", now.sha256}, {"probes", static_cast<std::int64_t>(probes)}});
        case BreakerState::suspect:
        case BreakerState::healthy:
            if (!is_out(before.state)) return;
            log_back_in_service(log, now, before.state == BreakerState::probing ? "its probes were sound" : "it answered");
    }
}

void log_back_in_service(ports::LogSink& log, const core::BreakerRecord& record, std::string_view why) {
    log.log(LogLevel::info, kComponent, "rule_back_in_service", "a rule is asked again",
            {{"rule_id", record.rule_id}, {"sha256", record.sha256}, {"why", std::string{why}}});
}

}  // namespace varde::evaluate
